// What is brought into a container: files, links and directories where hotexec runs. All of it is looked at before anything is touched.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { HotexecError } from '../../errors.ts';
import { describeErrno } from '../../native/errno.ts';
import { asText, type ProcessRoot } from '../../rootfs/open.ts';
import { refused } from './refuse.ts';

const readOnly = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface SourceFile {
  readonly kind: 'file';
  readonly path: string;
  readonly sizeBytes: number;
  readonly mode: number;
  /** It is kept in the container: the path is meant there. */
  readonly isKept: boolean;
  /** Changes when the file is another one or is written to. */
  readonly state: string;
}

export interface SourceLink {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export interface SourceDirectory {
  readonly kind: 'directory';
  readonly path: string;
  readonly mode: number;
  readonly names: readonly string[];
}

/** The file at the destination goes, and nothing comes. */
export interface NoSource {
  readonly kind: 'nothing';
  readonly path: string;
}

export type Source = SourceFile | SourceLink | SourceDirectory;

/** What the user names: a link stands for what it leads to. Throws usage. */
export function examineSource(path: string): SourceFile | SourceDirectory {
  const stat = look(path, () => statSync(path, { bigint: true }));
  if (stat.isFile()) return examineFile(path, stat);
  if (stat.isDirectory()) return { kind: 'directory', path, mode: Number(stat.mode & 0o7777n), names: namesIn(path) };
  throw unusable(path, 'is neither a file nor a directory');
}

/** One entry of a directory: a link stays a link. Throws usage. */
export function examineEntry(path: string): Source {
  const stat = look(path, () => lstatSync(path, { bigint: true }));
  if (!stat.isSymbolicLink()) return examineSource(path);
  const target = asText(look(path, () => readlinkSync(path, { encoding: 'buffer' })));
  if (target === undefined) throw unusable(path, 'is a link to a name that is not UTF-8');
  return { kind: 'link', path, target };
}

function examineFile(path: string, stat: BigIntStats): SourceFile {
  look(path, () => accessSync(path, constants.R_OK));
  return sourceFile(path, stat);
}

function sourceFile(path: string, stat: BigIntStats): SourceFile {
  return {
    kind: 'file',
    path,
    sizeBytes: Number(stat.size),
    mode: Number(stat.mode & 0o7777n),
    isKept: false,
    state: stateOf(stat),
  };
}

function namesIn(path: string): readonly string[] {
  const names = look(path, () => readdirSync(path, { encoding: 'buffer' })).map((bytes) => {
    const name = asText(bytes);
    if (name === undefined) throw unusable(join(path, bytes.toString()), 'has a name that is not UTF-8');
    return name;
  });
  return names.toSorted();
}

/** Opened for reading; a FIFO that has taken its place would not be waited for. Throws when it is not the file that was planned. */
export function openSource(source: SourceFile, root: ProcessRoot): number {
  const fd = source.isKept
    ? throughRoot(root, source.path, (path) => openSync(path, readOnly))
    : look(source.path, () => openSync(source.path, readOnly));
  if (stateOf(fstatSync(fd, { bigint: true })) === source.state) return fd;
  closeSync(fd);
  throw changed(source);
}

/** Throws when it was written to since it was looked at. */
export function expectUnchanged(source: SourceFile, fd: number): void {
  if (stateOf(fstatSync(fd, { bigint: true })) !== source.state) throw changed(source);
}

/** Its first bytes. */
export function readBeginning(source: SourceFile, root: ProcessRoot, sizeBytes: number): Buffer {
  const fd = openSource(source, root);
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, sizeBytes, 0));
  } finally {
    closeSync(fd);
  }
}

export function changed({ path }: SourceFile): HotexecError {
  return new HotexecError({
    code: 'file-not-written',
    message: `${path} was changed while it was read. Nothing of it stays in the container; the old program runs on unchanged.`,
    hint: 'wait until it is written, then try again',
  });
}

/** A file that an earlier restart has kept in the container. Throws file-refused. */
export function examineKept(root: ProcessRoot, path: string): SourceFile {
  const stat = throughRoot(root, path, (found) => statSync(found, { bigint: true }));
  if (!stat.isFile()) throw refused(`${path} in the container is no file any more`, null);
  return { ...sourceFile(path, stat), isKept: true };
}

function throughRoot<Answer>(root: ProcessRoot, path: string, use: (found: string) => Answer): Answer {
  const fd = root.lookUp(path);
  if (fd < 0) throw refused(`the kept file ${path} in the container cannot be opened: ${describeErrno(fd)}`, null);
  try {
    return use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function look<Answer>(path: string, call: () => Answer): Answer {
  try {
    return call();
  } catch (error) {
    throw unusable(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unusable(path: string, why: string): HotexecError {
  return new HotexecError({
    code: 'usage',
    message: `${path} ${why}. Nothing was touched.`,
    hint: 'name a file or directory that can be read where hotexec runs',
  });
}
