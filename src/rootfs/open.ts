// Opening files of a container from outside. Every path is resolved inside its root by openat2: a hostile image full of symlinks can
// lead nowhere else, and magic links (/proc/…/fd, /proc/…/root) are not followed.
import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { EAGAIN } from '../native/errno.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const O_PATH = 0o1000_0000;
const O_CLOEXEC = 0o200_0000;
const PATH_MAX = 4096;
const mostTries = 64;
const ENAMETOOLONG = 36;

// struct open_how: flags, mode, resolve
const how = allocate(24);
const pathMemory = allocate(PATH_MAX + 1);

/** The root of a process, as it sees it; paths are resolved in it. */
export class ProcessRoot implements Disposable {
  readonly #fd: number;

  constructor(pid: number) {
    this.#fd = openSync(`/proc/${pid}/root`, constants.O_DIRECTORY);
  }

  /** Looks at a file, whatever it is, without opening it for reading: a descriptor to close, or -errno. */
  lookUp(path: string): number {
    return this.#open(path, O_PATH | O_CLOEXEC);
  }

  /** A directory to work in: a descriptor to close, or -errno. */
  openDirectory(path: string): number {
    return this.#open(path, O_PATH | O_CLOEXEC | constants.O_DIRECTORY);
  }

  /** Where a descriptor of something below this root leads, without links; undefined when it is not below it, or not text. */
  pathOf(fd: number): string | undefined {
    const [root, path] = [linkText(this.#fd), linkText(fd)];
    if (root === undefined || path === undefined) return undefined;
    if (root === '/' || path === root) return path === root ? '/' : path;
    return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
  }

  /** The mount that the root is on, as mountinfo numbers them. */
  get mountId(): number {
    return mountIdOf(this.#fd);
  }

  #open(path: string, flags: number): number {
    const bytes = Buffer.from(path);
    if (bytes.length > PATH_MAX || bytes.includes(0)) return -ENAMETOOLONG;
    bytes.copy(pathMemory.bytes);
    pathMemory.bytes[bytes.length] = 0;
    how.bytes.writeBigUInt64LE(BigInt(flags), 0);
    how.bytes.writeBigUInt64LE(0n, 8);
    how.bytes.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
    for (let tries = 1; ; tries++) {
      const fd = syscall(arch.syscalls.openat2, this.#fd, pathMemory.address, how.address, 24);
      // Something was renamed or mounted anywhere while a `..` was resolved (openat2(2)).
      if (fd !== -EAGAIN || tries === mostTries) return fd;
    }
  }

  /** What kind of file it is; -errno when it cannot be found. */
  stat(path: string): Stats | number {
    const fd = this.lookUp(path);
    if (fd < 0) return fd;
    try {
      return fstatSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** The beginning of a regular file; undefined for anything else (opening a FIFO would wait); -errno. */
  readStart(path: string, sizeBytes: number): { readonly start: Buffer; readonly stat: Stats } | number | undefined {
    const fd = this.lookUp(path);
    if (fd < 0) return fd;
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return undefined;
      return { start: readThrough(fd, sizeBytes), stat };
    } finally {
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** The mount that a descriptor's file is on. */
export function mountIdOf(fd: number): number {
  return Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? -1);
}

function linkText(fd: number): string | undefined {
  return asText(readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }));
}

/** Undefined where bytes are not UTF-8, which a string could not give back. */
export function asText(bytes: Buffer): string | undefined {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** Reads the very file that an O_PATH descriptor names. */
function readThrough(pathFd: number, sizeBytes: number): Buffer {
  const fd = openSync(`/proc/self/fd/${pathFd}`, constants.O_RDONLY);
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, sizeBytes, 0));
  } finally {
    closeSync(fd);
  }
}
