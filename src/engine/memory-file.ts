// An executable that no file system holds: a sealed memfd of this process, to be pushed into the target and started by execveat(2).
// Its pages are charged to the cgroup that hotexec runs in, and stay so as long as anybody has the file: not to the container's limit.
import { closeSync, fstatSync, openSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { HotexecError } from '../errors.ts';
import { describeErrno, EACCES, EINVAL } from '../native/errno.ts';
import { allocate } from '../native/memory.ts';
import { sha256 } from '../native/sha256.ts';
import { syscall } from '../native/syscall.ts';
import { memoryName } from './program.ts';

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_EXEC = 0x10;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, SHRINK, GROW, WRITE: nobody changes the program that runs, nor the one that was proven. */
const seals = 0x1 | 0x2 | 0x4 | 0x8;
const chunkSizeBytes = 1024 * 1024;

const nameMemory = allocate(256);

export type Progress = (doneBytes: number, totalBytes: number) => void;

export interface MemoryFile extends Disposable {
  readonly fd: number;
  readonly sizeBytes: number;
  /** SHA-256 in hexadecimal, of the content as it is in memory; takes its time, so not while anything is held. */
  digest(): string;
}

/**
 * Copies a local file into memory and seals it; `progress` is called after each MiB, and may throw. Throws program-not-startable when
 * the file cannot be read or changes meanwhile, not-permitted where the kernel allows no executable memory files.
 */
export function openMemoryFile(path: string, progress: Progress = () => {}): MemoryFile {
  using source = openSource(path);
  const fd = createMemfd(memoryName(path));
  try {
    const sizeBytes = copy(source.fd, { to: fd, path, progress });
    const sealed = syscall(arch.syscalls.fcntl, fd, F_ADD_SEALS, seals);
    if (sealed < 0) throw new Error(`sealing a memfd failed: ${describeErrno(sealed)}`);
    return memoryFile(fd, sizeBytes);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The file that a process runs, whatever has become of its name; null: another than `name`, as /proc/PID/exe shows that. */
export function openRunningFile(tid: number, name: string): MemoryFile | null {
  const fd = openSync(`/proc/${tid}/exe`, 'r');
  if (readlinkSync(`/proc/self/fd/${fd}`) === name) return memoryFile(fd, fstatSync(fd).size);
  closeSync(fd);
  return null;
}

function memoryFile(fd: number, sizeBytes: number): MemoryFile {
  return { fd, sizeBytes, digest: () => sha256(fd), [Symbol.dispose]: () => closeSync(fd) };
}

function openSource(path: string): Disposable & { readonly fd: number } {
  try {
    const fd = openSync(path, 'r');
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw notStartable(`${path} cannot be read: ${why}`, error);
  }
}

function createMemfd(name: string): number {
  nameMemory.bytes.fill(0).write(name);
  const create = (flags: number): number =>
    syscall(arch.syscalls.memfd_create, nameMemory.address, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
  let fd = create(MFD_EXEC);
  // Before Linux 6.3 every memfd can be executed.
  if (fd === -EINVAL) fd = create(0);
  if (fd >= 0) return fd;
  throw new HotexecError({
    code: fd === -EACCES ? 'not-permitted' : 'program-not-startable',
    message:
      fd === -EACCES
        ? 'no executable file can be made in memory here: vm.memfd_noexec is 2 in the pid namespace that hotexec runs in. Nothing was touched.'
        : `no file could be made in memory: memfd_create answered ${describeErrno(fd)}. Nothing was touched.`,
    hint:
      fd === -EACCES
        ? 'write the program to a file system of the container instead, or run hotexec in another pid namespace'
        : null,
  });
}

interface Copying {
  readonly to: number;
  readonly path: string;
  readonly progress: Progress;
}

function copy(from: number, { to, path, progress }: Copying): number {
  const expectedBytes = fstatSync(from).size;
  const chunk = Buffer.allocUnsafe(chunkSizeBytes);
  let doneBytes = 0;
  for (;;) {
    const length = readSync(from, chunk);
    if (length === 0) break;
    writeAll(to, chunk.subarray(0, length), path);
    doneBytes += length;
    progress(doneBytes, expectedBytes);
  }
  if (doneBytes !== expectedBytes)
    throw notStartable(`${path} had ${expectedBytes} bytes and then ${doneBytes}: somebody is writing to it`);
  return doneBytes;
}

function writeAll(to: number, bytes: Buffer, path: string): void {
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(to, bytes, written);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw notStartable(`${path} does not fit into memory where hotexec runs: ${why}`, error);
  }
}

function notStartable(why: string, cause?: unknown): HotexecError {
  return new HotexecError(
    { code: 'program-not-startable', message: `${why}. Nothing was touched.`, hint: null },
    { cause },
  );
}
