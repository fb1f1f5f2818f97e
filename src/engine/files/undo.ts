// How each change to a container's files is put back, or made to last: the one place, for a scope that is left and for a mender. What
// has happened is told by the files themselves, so each is right if the effect never happened, and right a second time.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { FileChange, KeptFile } from '../../journal/change.ts';
import { describeErrno } from '../../native/errno.ts';
import { capabilityAttribute, removeAttributeAt, setAttributeAt } from '../../rootfs/attributes.ts';
import { birthOf, isSameFile, type Directories, type RootDirectory } from '../../rootfs/directory.ts';

const O_PATH = 0o1000_0000;
const setIds = 0o6000;

type FileSwap = Extract<FileChange, { readonly kind: 'file' }>;

/** Throws when it cannot be put back: the directory has gone or is another one, or the file system refuses. */
export function undoFile(directories: Directories, change: FileChange): void {
  switch (change.kind) {
    case 'temporary':
      removeTemporary(directories, change);
      return;
    case 'directory':
      removeDirectory(directories, change);
      return;
    case 'file':
      // A directory that was made for it has gone before it.
      if (change.kept === null && directories.identityNow(change.directory) === undefined) return;
      putFileBack(open(directories, change), change);
  }
}

/** The new file stays: nobody gains rights through the old one, whose mode and capabilities the change has. */
export function settleFile(directories: Directories, change: FileChange): void {
  if (change.kind !== 'file' || change.kept === null) return;
  const { kept } = change;
  if ((kept.mode & setIds) === 0 && kept.capability === null) return;
  withEntry(open(directories, change), kept.name, (path, stat) => {
    // Under another name besides ours it is meant to be what it is.
    if (!stat.isFile() || stat.nlink > 1n) return;
    chmodSync(path, kept.mode & ~setIds);
    check(removeAttributeAt(path, capabilityAttribute), path);
  });
}

function putFileBack(directory: RootDirectory, change: FileSwap): void {
  const { name, kept, birth } = change;
  const now = directory.entry(name);
  if (kept === null) {
    if (now !== undefined && birthOf(now) === birth) unlinkSync(directory.at(name));
    return;
  }
  const old = directory.entry(kept.name);
  if (old === undefined) {
    if (directory.identity !== change.directoryIdentity)
      throw new Error(`${change.directory} is another directory by now`);
    return; // it was never kept, or is back already
  }
  const temporary = directory.entry(change.temporary);
  const isInPlace = now !== undefined && isSameFile(now, old);
  // Then what is there by now is neither ours nor the old one.
  const isForeign = now !== undefined && (birth === null || (temporary !== undefined && birthOf(temporary) === birth));
  if (isInPlace || isForeign) {
    unlinkSync(directory.at(kept.name));
    return;
  }
  giveRightsBack(directory, kept);
  renameSync(directory.at(kept.name), directory.at(name));
}

/** Before it is at its old place again: it is never seen there without them. */
function giveRightsBack(directory: RootDirectory, kept: KeptFile): void {
  withEntry(directory, kept.name, (path, stat) => {
    if (!stat.isFile()) return;
    if (Number(stat.uid) !== kept.uid || Number(stat.gid) !== kept.gid) chownSync(path, kept.uid, kept.gid);
    if (Number(stat.mode & 0o7777n) !== kept.mode) chmodSync(path, kept.mode);
    if (kept.capability === null) return;
    check(setAttributeAt(path, { name: capabilityAttribute, value: Buffer.from(kept.capability, 'hex') }), path);
  });
}

function removeTemporary(directories: Directories, { directory, name }: FileChange): void {
  const opened = directories.open(directory);
  if (typeof opened === 'number') return; // a directory of ours that was never made, or is gone already
  const entry = opened.entry(name);
  if (entry === undefined) return;
  if (entry.isDirectory()) rmdirSync(opened.at(name));
  else unlinkSync(opened.at(name));
}

/** What others have put into it stays, and it with that. */
function removeDirectory(directories: Directories, change: Extract<FileChange, { readonly kind: 'directory' }>): void {
  const opened = directories.open(change.directory);
  if (typeof opened === 'number') return;
  const entry = opened.entry(change.name);
  if (entry === undefined || birthOf(entry) !== change.birth) return;
  try {
    rmdirSync(opened.at(change.name));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
  }
}

function open(directories: Directories, { directory }: FileSwap): RootDirectory {
  const opened = directories.open(directory);
  if (typeof opened === 'number') throw new Error(`${directory} cannot be opened: ${describeErrno(opened)}`);
  return opened;
}

/** `use` gets a path to that very file, whatever happens to its name. */
function withEntry(directory: RootDirectory, name: string, use: (path: string, stat: BigIntStats) => void): void {
  const fd = openSync(directory.at(name), O_PATH | constants.O_NOFOLLOW);
  try {
    use(`/proc/self/fd/${fd}`, fstatSync(fd, { bigint: true }));
  } finally {
    closeSync(fd);
  }
}

function check(result: number, path: string): void {
  if (result < 0) throw new Error(`${path}: ${describeErrno(result)}`);
}
