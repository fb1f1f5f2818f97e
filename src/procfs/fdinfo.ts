// /proc/PID/fdinfo/N (proc_pid_fdinfo(5)): position and flags of one open descriptor, and what kind of kernel object it
// is, told by the lines only that kind has.
import { parseBigInteger, parseInteger, parseOctal } from './numbers.ts';
import { ParseError } from './parse-error.ts';

/** `file` is everything without lines of its own: files, pipes, sockets, devices. */
export type DescriptorKind =
  | 'file'
  | 'eventfd'
  | 'epoll'
  | 'inotify'
  | 'fanotify'
  | 'signalfd'
  | 'timerfd'
  | 'pidfd'
  | 'io_uring'
  | 'bpf';

export interface FdInfo {
  /** File position in bytes. */
  readonly position: bigint;
  /** Status flags as open(2) takes them; FD_CLOEXEC shows as O_CLOEXEC. */
  readonly flags: number;
  readonly closeOnExec: boolean;
  readonly nonBlocking: boolean;
  readonly mountId: number | undefined;
  /** Since Linux 5.14. */
  readonly inode: bigint | undefined;
  /** An epoll, inotify or fanotify that watches nothing has no line to know it by: it is a `file`. */
  readonly kind: DescriptorKind;
}

/** The same on x86-64 and arm64 (include/uapi/asm-generic/fcntl.h). */
export const O_CLOEXEC = 0o2000000;
export const O_NONBLOCK = 0o4000;

const SOURCE = 'fdinfo';

const KIND_BY_LINE: ReadonlyMap<string, DescriptorKind> = new Map([
  ['eventfd-count', 'eventfd'],
  ['tfd', 'epoll'],
  ['inotify wd', 'inotify'],
  ['fanotify flags', 'fanotify'],
  ['fanotify ino', 'fanotify'],
  ['fanotify mnt_id', 'fanotify'],
  ['sigmask', 'signalfd'],
  ['clockid', 'timerfd'],
  ['Pid', 'pidfd'],
  ['SqMask', 'io_uring'],
  ['map_type', 'bpf'],
  ['prog_type', 'bpf'],
  ['link_type', 'bpf'],
]);

/** Parses one fdinfo file. Throws ParseError when pos or flags is missing or not a number. */
export function parseFdInfo(text: string): FdInfo {
  const lines = text.split('\n').map((line) => splitLine(line));
  const value = (key: string): string | undefined => lines.find((line) => line.key === key)?.value;
  const flagsText = value('flags');
  if (flagsText === undefined) throw new ParseError(SOURCE, 'no line flags', text);
  const flags = parseOctal(SOURCE, flagsText);
  const mountId = value('mnt_id');
  const inode = value('ino');
  return {
    position: parseBigInteger(SOURCE, value('pos')),
    flags,
    closeOnExec: hasFlag(flags, O_CLOEXEC),
    nonBlocking: hasFlag(flags, O_NONBLOCK),
    mountId: mountId === undefined ? undefined : parseInteger(SOURCE, mountId),
    inode: inode === undefined ? undefined : parseBigInteger(SOURCE, inode),
    kind: lines.map((line) => KIND_BY_LINE.get(line.key)).find((kind) => kind !== undefined) ?? 'file',
  };
}

/** The status flags alone, FD_CLOEXEC as O_CLOEXEC among them: a process may have thousands of descriptors. Throws ParseError. */
export function parseFdFlags(text: string): number {
  return parseOctal(SOURCE, /^flags:\s*(\d+)$/m.exec(text)?.[1]);
}

function splitLine(line: string): { readonly key: string; readonly value: string } {
  const colon = line.indexOf(':');
  return { key: line.slice(0, Math.max(0, colon)).trim(), value: line.slice(colon + 1).trim() };
}

function hasFlag(flags: number, flag: number): boolean {
  return Math.trunc(flags / flag) % 2 === 1;
}
