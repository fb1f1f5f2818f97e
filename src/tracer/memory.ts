// Reading and writing a target's memory. It goes by thread id: with a zombie leader the process id finds no memory (ESRCH).
import { arch } from '../arch/arch.ts';
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
    const moved = transfer(arch.syscalls.process_vm_readv, tid, address + BigInt(offset), length);
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
    const moved = transfer(arch.syscalls.process_vm_writev, tid, address + BigInt(offset), length);
    if (moved <= 0) return moved;
    offset += moved;
  }
  return 0;
}

function transfer(number: number, tid: number, address: bigint, sizeBytes: number): number {
  localVector.view.setBigUint64(8, BigInt(sizeBytes), true);
  remoteVector.view.setBigUint64(0, address, true);
  remoteVector.view.setBigUint64(8, BigInt(sizeBytes), true);
  return syscall(number, tid, localVector.address, 1, remoteVector.address, 1, 0);
}
