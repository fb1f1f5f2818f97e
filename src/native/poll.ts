// Whether a descriptor has something to read, without waiting: poll(2).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

const POLLIN = 1;
const entry = allocate(8);

export function inputReady(fd: number): boolean {
  entry.bytes.writeInt32LE(fd, 0);
  entry.bytes.writeInt16LE(POLLIN, 4);
  entry.bytes.writeInt16LE(0, 6);
  return syscall(arch.syscalls.poll, entry.address, 1, 0) > 0;
}
