// Names and sentences of the errno values that the calls of hotexec can give: the kernel's asm-generic numbers, shared by x86-64 and arm64.
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    // EWOULDBLOCK and EOPNOTSUPP share a number with names that people know better.
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'EOPNOTSUPP')
    .map(([name, number]) => [number, name]),
);

/** `ENOENT` for 2 or -2; `errno 512` for what has no name in user space. */
function errnoName(errno: number): string {
  return names.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}

/** `ENOENT (no such file or directory)`. */
export function describeErrno(errno: number): string {
  const sentence = getSystemErrorMap().get(-Math.abs(errno))?.[1];
  return sentence === undefined ? errnoName(errno) : `${errnoName(errno)} (${sentence})`;
}

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
export const EACCES = 13;
export const EFAULT = 14;
export const EEXIST = 17;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ENOSYS = 38;
export const ENODATA = 61;
export const EOPNOTSUPP = 95;
