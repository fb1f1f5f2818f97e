// One file for each container, replaced as a whole: whoever reads it finds the old or the new record, also after a crash.
// It holds the environment of programs, so only its owner may read it; and a program is started from it, so only the owner may have
// written it.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Seal } from '../protocol/seal.ts';
import { makePrivateDirectory } from '../protocol/private-directory.ts';
import type { Limits } from './bound.ts';
import { decodeRecord, type RecordDocument } from './decode.ts';

/** Whose records they are, and where. */
export interface HistoryPlace {
  readonly directory: string;
  readonly uid: number;
  /** Who asks: a login name; null: not known. */
  readonly by: string | null;
  readonly enginePid: number;
  /** Where others could read the files or write to them. */
  readonly seal?: Seal;
  /** How much a record may hold there, where that is less than elsewhere. */
  readonly limits?: Limits;
}

const maxSizeBytes = 64 * 1024 * 1024;

export type ReadRecord =
  | { readonly kind: 'read'; readonly document: RecordDocument }
  | { readonly kind: 'none' }
  /** A clause: what is wrong with it. */
  | { readonly kind: 'broken'; readonly why: string };

export function readRecord(path: string, { uid, seal }: Pick<HistoryPlace, 'uid' | 'seal'>): ReadRecord {
  try {
    return { kind: 'read', document: decodeRecord(unsealed(readOwn(path, uid), path, seal)) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
    return { kind: 'broken', why: error instanceof Error ? error.message : String(error) };
  }
}

function readOwn(path: string, uid: number): string {
  // Without O_NONBLOCK a FIFO that somebody has put there would hold us for ever.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
      throw new Error(
        `it is no private file of uid ${uid} (owner ${stat.uid}, mode ${(stat.mode & 0o7777).toString(8)})`,
      );
    }
    if (stat.size > maxSizeBytes) throw new Error(`it has ${stat.size} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function unsealed(text: string, path: string, seal?: Seal): string {
  if (seal === undefined) return text;
  try {
    return seal.open(text, basename(path));
  } catch (cause) {
    throw new Error('somebody else has written it', { cause });
  }
}

/** Throws what the file system says. */
export function writeRecord(path: string, document: RecordDocument, place: HistoryPlace): void {
  const { directory, uid, enginePid, seal } = place;
  makePrivateDirectory(directory, uid);
  const temporary = join(directory, `.${enginePid}.tmp`);
  rmSync(temporary, { force: true });
  try {
    const text = JSON.stringify(document);
    writeThrough(temporary, seal === undefined ? text : seal.close(text, basename(path)));
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

function writeThrough(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Out of the way, and there to be looked at until the container is gone. Returns where it is now. */
export function setAside(path: string): string {
  const aside = `${path}.set-aside`;
  renameSync(path, aside);
  return aside;
}
