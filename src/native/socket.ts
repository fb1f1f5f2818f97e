// TCP and netlink sockets by raw system calls: the engine has no event loop, so every call answers at once (SOCK_NONBLOCK).
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

/** Where a TCP socket is, or is to go. */
export interface Endpoint {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, as on the wire. */
  readonly address: Buffer;
  readonly port: number;
}

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const NONBLOCK_CLOEXEC = 0o4000 | 0o200_0000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const MSG_NOSIGNAL = 0x4000;
const POLLOUT = 4;
// struct sockaddr_in and sockaddr_in6
const addressSizeBytes = { 4: 16, 6: 28 } as const;

const socketAddress = allocate(28);
const length = allocate(4);
const value = allocate(4);
const pollEntry = allocate(8);
const chunk = allocate(16 * 1024);

/** A TCP socket in the network namespace of this thread: a descriptor, or -errno. */
export function openStream(family: 4 | 6): number {
  return syscall(arch.syscalls.socket, family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | NONBLOCK_CLOEXEC, 0);
}

/** A socket that answers questions about the sockets of this thread's network namespace (sock_diag(7)); -errno. */
export function openSocketDiagnosis(): number {
  return syscall(arch.syscalls.socket, AF_NETLINK, SOCK_RAW | NONBLOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/** 0: connected; -EINPROGRESS: it goes on; another -errno. */
export function connect(fd: number, to: Endpoint): number {
  const { view, bytes } = socketAddress;
  bytes.fill(0);
  view.setUint16(0, to.family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, to.port, false);
  bytes.set(to.address, to.family === 4 ? 4 : 8);
  return syscall(arch.syscalls.connect, fd, socketAddress.address, addressSizeBytes[to.family]);
}

/** How a connect that was in progress has ended: 0, or -errno; undefined while it goes on. */
export function connectResult(fd: number): number | undefined {
  pollEntry.view.setInt32(0, fd, true);
  pollEntry.view.setInt16(4, POLLOUT, true);
  pollEntry.view.setInt16(6, 0, true);
  if (syscall(arch.syscalls.poll, pollEntry.address, 1, 0) <= 0) return undefined;
  length.view.setUint32(0, 4, true);
  const asked = syscall(arch.syscalls.getsockopt, fd, SOL_SOCKET, SO_ERROR, value.address, length.address);
  return asked < 0 ? asked : -value.view.getInt32(0, true);
}

/** How many bytes were taken, or -errno. Never raises SIGPIPE. */
export function send(fd: number, bytes: Buffer): number {
  const sizeBytes = Math.min(bytes.length, chunk.bytes.length);
  bytes.copy(chunk.bytes, 0, 0, sizeBytes);
  return syscall(arch.syscalls.sendto, fd, chunk.address, sizeBytes, MSG_NOSIGNAL, 0, 0);
}

/** What has come, 16 KiB at most; empty: the peer has closed; -EAGAIN: nothing yet; another -errno. */
export function receive(fd: number): Buffer | number {
  const got = syscall(arch.syscalls.recvfrom, fd, chunk.address, chunk.bytes.length, 0, 0, 0);
  return got < 0 ? got : Buffer.from(chunk.bytes.subarray(0, got));
}

/** Both ends of a connected socket; undefined when it is not connected (any more). */
export function connectionEnds(fd: number): { readonly local: Endpoint; readonly peer: Endpoint } | undefined {
  const local = endpoint(arch.syscalls.getsockname, fd);
  const peer = endpoint(arch.syscalls.getpeername, fd);
  return local === undefined || peer === undefined ? undefined : { local, peer };
}

function endpoint(call: number, fd: number): Endpoint | undefined {
  length.view.setUint32(0, socketAddress.bytes.length, true);
  if (syscall(call, fd, socketAddress.address, length.address) < 0) return undefined;
  const family = socketAddress.view.getUint16(0, true) === AF_INET ? 4 : 6;
  const [start, end] = family === 4 ? [4, 8] : [8, 24];
  const port = socketAddress.view.getUint16(2, false);
  return { family, address: Buffer.from(socketAddress.bytes.subarray(start, end)), port };
}
