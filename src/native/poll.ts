// Whether a descriptor has something to read, or takes something: poll(2).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

const POLLIN = 1;
const POLLOUT = 4;
const entry = allocate(8);

export function inputReady(fd: number): boolean {
  return isReady(fd, POLLIN);
}

/** The same, but waits; false after `timeoutMs`, or earlier where a signal came. The end of the input is something to read. */
export function awaitInput(fd: number, timeoutMs: number): boolean {
  return isReady(fd, POLLIN, timeoutMs);
}

export function outputReady(fd: number): boolean {
  return isReady(fd, POLLOUT);
}

function isReady(fd: number, events: number, timeoutMs = 0): boolean {
  entry.view.setInt32(0, fd, true);
  entry.view.setInt16(4, events, true);
  entry.view.setInt16(6, 0, true);
  return syscall(arch.syscalls.poll, entry.address, 1, timeoutMs) > 0;
}
