// Reading and writing a target's memory. It goes by thread id: with a zombie leader the process id finds no memory (ESRCH).
import { closeSync, openSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { EFAULT, EIO, EPERM } from '../native/errno.ts';
import { allocate, mapMemory } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';

const staging = mapMemory(256 * 1024);
const localVector = allocate(16);
const remoteVector = allocate(16);
localVector.view.setBigUint64(0, staging.address, true);

/** Reads exactly sizeBytes; -errno (a number) when any of it cannot be read. */
export function readMemory(tid: number, address: bigint, sizeBytes: number): Buffer | number {
  const result = Buffer.allocUnsafe(sizeBytes);
  for (let offset = 0; offset < sizeBytes;) {
    const length = Math.min(staging.bytes.length, sizeBytes - offset);
    const moved = transfer(reading, tid, address + BigInt(offset), length);
    if (moved <= 0) return moved;
    staging.bytes.copy(result, offset, 0, moved);
    offset += moved;
  }
  return result;
}

/** Writes all of `bytes`; 0, or -errno. Pages must be writable: the target's code never is. */
export function writeMemory(tid: number, address: bigint, bytes: Buffer): number {
  for (let offset = 0; offset < bytes.length;) {
    const length = Math.min(staging.bytes.length, bytes.length - offset);
    bytes.copy(staging.bytes, 0, offset, offset + length);
    const moved = transfer(writing, tid, address + BigInt(offset), length);
    if (moved <= 0) return moved;
    offset += moved;
  }
  return 0;
}

interface Direction {
  readonly vm: number;
  readonly file: number;
  readonly flags: 'r' | 'r+';
}

const reading: Direction = { vm: arch.syscalls.process_vm_readv, file: arch.syscalls.pread64, flags: 'r' };
const writing: Direction = { vm: arch.syscalls.process_vm_writev, file: arch.syscalls.pwrite64, flags: 'r+' };

function transfer(direction: Direction, tid: number, address: bigint, sizeBytes: number): number {
  localVector.view.setBigUint64(8, BigInt(sizeBytes), true);
  remoteVector.view.setBigUint64(0, address, true);
  remoteVector.view.setBigUint64(8, BigInt(sizeBytes), true);
  const moved = syscall(direction.vm, tid, localVector.address, 1, remoteVector.address, 1, 0);
  return moved === -EPERM ? throughFile(direction, tid, address, sizeBytes) : moved;
}

/**
 * Runtimes' seccomp profiles keep these calls for CAP_SYS_PTRACE; the file is open to whoever may trace and owns it. Opened each time: it
 * belongs to the memory that was there then, and an execve brings another.
 */
function throughFile({ file, flags }: Direction, tid: number, address: bigint, sizeBytes: number): number {
  let fd: number;
  try {
    fd = openSync(`/proc/${tid}/mem`, flags);
  } catch {
    return -EPERM;
  }
  const moved = syscall(file, fd, staging.address, sizeBytes, address);
  closeSync(fd);
  // The file says EIO for what the call calls EFAULT (fs/proc/base.c, mem_rw).
  return moved === -EIO ? -EFAULT : moved;
}
