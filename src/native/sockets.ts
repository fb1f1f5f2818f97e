// Sockets of other processes, pulled over here: what they are bound to and how they are set (socket(7), tcp(7), ip(7), ipv6(7), unix(7)).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

/** sizeof(struct sockaddr_storage) */
export const SOCKADDR_MAX = 128;
const optionMaxBytes = 128;

const address = allocate(SOCKADDR_MAX);
const length = allocate(4);
const option = allocate(optionMaxBytes);

/** A copy of a descriptor of another process: to be closed by the caller; -errno. `tid`: a living thread of it (Linux 5.6; 6.9 for no leader). */
export function pullDescriptor(pid: number, tid: number, fd: number): number {
  const PIDFD_THREAD = 0o200;
  const pidfd = syscall(arch.syscalls.pidfd_open, tid, tid === pid ? 0 : PIDFD_THREAD);
  if (pidfd < 0) return pidfd;
  const pulled = syscall(arch.syscalls.pidfd_getfd, pidfd, fd, 0);
  syscall(arch.syscalls.close, pidfd);
  return pulled;
}

/** The struct sockaddr a socket is bound to; -errno. */
export function boundAddress(fd: number): Buffer | number {
  length.view.setUint32(0, SOCKADDR_MAX, true);
  const result = syscall(arch.syscalls.getsockname, fd, address.address, length.address);
  return result < 0 ? result : Buffer.from(address.bytes.subarray(0, length.view.getUint32(0, true)));
}

/** The bytes of an option; -errno. */
export function readOption(fd: number, level: number, name: number): Buffer | number {
  length.view.setUint32(0, optionMaxBytes, true);
  const result = syscall(arch.syscalls.getsockopt, fd, level, name, option.address, length.address);
  return result < 0 ? result : Buffer.from(option.bytes.subarray(0, length.view.getUint32(0, true)));
}

/** An option that is an int; -errno. */
export function readNumberOption(fd: number, level: number, name: number): number {
  const bytes = readOption(fd, level, name);
  return typeof bytes === 'number' ? bytes : bytes.readInt32LE(0);
}

/** 0 or -errno. */
export function writeOption(
  fd: number,
  { level, name }: { readonly level: number; readonly name: number },
  value: Buffer,
): number {
  value.copy(option.bytes);
  return syscall(arch.syscalls.setsockopt, fd, level, name, option.address, value.length);
}
