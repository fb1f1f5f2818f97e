// Whether a descriptor has something to read, or takes something, without waiting: poll(2).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

const POLLIN = 1;
const POLLOUT = 4;
const entry = allocate(8);

export function inputReady(fd: number): boolean {
  return isReady(fd, POLLIN);
}

export function outputReady(fd: number): boolean {
  return isReady(fd, POLLOUT);
}

function isReady(fd: number, events: number): boolean {
  entry.view.setInt32(0, fd, true);
  entry.view.setInt16(4, events, true);
  entry.view.setInt16(6, 0, true);
  return syscall(arch.syscalls.poll, entry.address, 1, 0) > 0;
}
