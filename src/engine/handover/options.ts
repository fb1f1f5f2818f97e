// What a program has set on a socket before it binds it: carried over to the held socket that it is given instead. Both are open here,
// and an option belongs to the socket, not to the descriptor.
import { arch } from '../../arch/arch.ts';
import { syscall } from '../../native/syscall.ts';
import { readOption, writeOption } from '../../native/sockets.ts';

const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;

interface Option {
  readonly level: number;
  readonly name: number;
  /** The kernel answers twice what was set (socket(7), SO_RCVBUF). */
  readonly doubled?: true;
}

/** include/uapi: asm-generic/socket.h, linux/in.h, linux/in6.h, linux/tcp.h. What only root may set is tried, and left if refused. */
const options: readonly Option[] = [
  ...[2, 5, 6, 9, 10, 12, 13, 15, 18, 20, 21, 29, 36, 46, 47].map((name) => ({ level: SOL_SOCKET, name })),
  { level: SOL_SOCKET, name: 7, doubled: true },
  { level: SOL_SOCKET, name: 8, doubled: true },
  // TOS, TTL, PKTINFO, RECVTTL, RECVTOS, FREEBIND, TRANSPARENT
  ...[1, 2, 8, 12, 13, 15, 19].map((name) => ({ level: IPPROTO_IP, name })),
  // UNICAST_HOPS, RECVPKTINFO, RECVHOPLIMIT, RECVTCLASS, TCLASS
  ...[16, 49, 51, 66, 67].map((name) => ({ level: IPPROTO_IPV6, name })),
  // NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, LINGER2, DEFER_ACCEPT, CONGESTION, USER_TIMEOUT, FASTOPEN, NOTSENT_LOWAT
  ...[1, 4, 5, 6, 7, 8, 9, 13, 18, 23, 25].map((name) => ({ level: IPPROTO_TCP, name })),
];

export function carryOptions(from: number, to: number): void {
  for (const option of options) {
    const wanted = readOption(from, option.level, option.name);
    const has = readOption(to, option.level, option.name);
    if (typeof wanted === 'number' || typeof has === 'number' || wanted.equals(has)) continue;
    writeOption(to, option, option.doubled === true ? halved(wanted) : wanted);
  }
}

const F_GETFL = 3;
const F_SETFL = 4;
/** O_NONBLOCK and O_ASYNC: they stand in the open file description, which both programs have. */
const carriedFlags = 0o4000 | 0o20_000;

export function carryStatusFlags(from: number, to: number): void {
  const wanted = syscall(arch.syscalls.fcntl, from, F_GETFL);
  const has = syscall(arch.syscalls.fcntl, to, F_GETFL);
  if (wanted < 0 || has < 0) return;
  syscall(arch.syscalls.fcntl, to, F_SETFL, (has & ~carriedFlags) | (wanted & carriedFlags));
}

function halved(value: Buffer): Buffer {
  const half = Buffer.alloc(4);
  half.writeInt32LE(Math.floor(value.readInt32LE(0) / 2));
  return half;
}
