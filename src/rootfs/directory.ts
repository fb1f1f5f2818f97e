// A directory inside a container, held by a descriptor: names in it are reached through /proc/self/fd/N/NAME, so nothing that happens
// to the path meanwhile can lead elsewhere. A last component that is a link is followed by none of the calls made here.
import { closeSync, fstatSync, lstatSync, type BigIntStats } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';
import type { ProcessRoot } from './open.ts';

const RENAME_NOREPLACE = 1;
const NAME_MAX = 255;
/** Descriptors that are kept open between two uses. */
const keptOpen = 256;

const from = allocate(NAME_MAX + 1);
const to = allocate(NAME_MAX + 1);

export class RootDirectory implements Disposable {
  readonly fd: number;
  /** `device:inode`. */
  readonly identity: string;

  constructor(fd: number) {
    this.fd = fd;
    this.identity = identityOf(fstatSync(fd, { bigint: true }));
  }

  /** A path for Node's fs that reaches this name in this very directory. */
  at(name: string): string {
    if (!isName(name)) throw new Error(`${JSON.stringify(name)} is no name of a file`);
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  /** What stands there, a link itself and not what it names; undefined: nothing. */
  entry(name: string): BigIntStats | undefined {
    return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
  }

  /** Never over another file. Returns -errno when it fails; -EINVAL where the file system cannot do it. */
  renameToFreeName(name: string, newName: string): number {
    writeName(from.bytes, name);
    writeName(to.bytes, newName);
    return syscall(arch.syscalls.renameat2, this.fd, from.address, this.fd, to.address, RENAME_NOREPLACE);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** The directories that some work goes through: opened once, as long as there are not too many. */
export class Directories implements Disposable {
  readonly #root: ProcessRoot;
  readonly #open = new Map<string, RootDirectory>();

  constructor(root: ProcessRoot) {
    this.#root = root;
  }

  /** To be used before the next one is asked for. Returns -errno when it cannot be opened. */
  open(path: string): RootDirectory | number {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const fd = this.#root.openDirectory(path);
    if (fd < 0) return fd;
    const directory = new RootDirectory(fd);
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= keptOpen) {
      this.#open.delete(oldest[0]);
      oldest[1][Symbol.dispose]();
    }
    this.#open.set(path, directory);
    return directory;
  }

  /** What the path leads to at this moment; undefined: nothing, or no directory. */
  identityNow(path: string): string | undefined {
    const fd = this.#root.openDirectory(path);
    if (fd < 0) return undefined;
    using directory = new RootDirectory(fd);
    return directory.identity;
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) directory[Symbol.dispose]();
    this.#open.clear();
  }
}

/** Tells a file from every other one on the machine. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/**
 * The same, for what hotexec has made itself: the number of a deleted file is soon another's, the moment of its making is not. Not for
 * what was there before, which an overlay copies up.
 */
export function birthOf(stat: BigIntStats): string {
  // An overlay whose layers are on several file systems numbers directories anew each time it meets them.
  const isNumbered = !stat.isDirectory() || stat.birthtimeNs === 0n;
  return `${isNumbered ? stat.ino : ''}@${stat.birthtimeNs}`;
}

/**
 * Whether two names are of one file. An overlay whose layers are on several file systems gives each name a number of its own (that of
 * the layer below to the one that was there); but no two files were made and last changed at the same moments, a second name given
 * to one of them being a change.
 */
export function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  if (a.dev === b.dev && a.ino === b.ino) return true;
  return a.birthtimeNs !== 0n && a.birthtimeNs === b.birthtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size;
}

export function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) <= NAME_MAX;
}

function writeName(bytes: Buffer, name: string): void {
  if (!isName(name)) throw new Error(`${JSON.stringify(name)} is no name of a file`);
  bytes[bytes.write(name)] = 0;
}
