// Gives a descriptor of this process to a held one: no path, no network, no namespace in common. The target is made to make a socket pair,
// one end is pulled out (pidfd_getfd), the descriptor is sent through it (SCM_RIGHTS, unix(7)), and the target is made to receive it. Where
// nothing may be pulled they meet by name instead (meeting.ts), and descriptors of the target come the same way.
// The kernel writes every new number to the target's memory before the descriptor exists, so this memory tells a mender what to close.
import { arch, type SyscallName } from '../arch/arch.ts';
import { ENOSYS, EPERM } from '../native/errno.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';
import { meet, meetingSizeBytes } from './meeting.ts';
import type { RemoteThread } from './remote-thread.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o200_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const PIDFD_THREAD = 0o200;

/** One layout on both sides, by offsets: what socketpair gives, one byte of data, an iovec, a msghdr, and the cmsg with the descriptor. */
const at = { pair: 0, byte: 8, iovec: 16, message: 32, control: 88, received: 104 } as const;
const controlSizeBytes = 24;
const sizeBytes: number = at.control + controlSizeBytes;
/** Behind what the room names, and the address of a meeting: a message of the target's own. All within 256 bytes. */
const fetchOffset = Math.ceil((sizeBytes + meetingSizeBytes) / 8) * 8;
const none = -1;

const ours = allocate(sizeBytes);

/** A call that did not do what it must. `by`: who made it. */
export class PushRefused extends Error {
  override readonly name = 'PushRefused';
  readonly call: SyscallName;
  readonly errno: number;

  constructor(call: SyscallName, errno: number, by: 'target' | 'hotexec') {
    super(`${call}${by === 'target' ? ' in the target' : ''}`);
    this.call = call;
    this.errno = errno;
  }
}

/** The calls that the target's filters do not let it make; asked before anything is done. `room`: see emptyPassage. */
export function forbiddenToReceive(thread: RemoteThread, room: bigint): readonly SyscallName[] {
  const message = room + BigInt(at.message);
  return [
    ...(thread.may('socketpair', AF_UNIX, SOCK_DGRAM_CLOEXEC, 0, room) ? [] : (['socketpair'] as const)),
    ...(thread.may('recvmsg', 3, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) ? [] : (['recvmsg'] as const)),
    ...(thread.may('close', 3) ? [] : (['close'] as const)),
  ];
}

/** Prepares 112 bytes of the target's memory, aligned to 8: they name no descriptor. Throws PushRefused when they cannot be written. */
export function emptyPassage(thread: RemoteThread, room: bigint): void {
  const written = thread.write(room, passage(room, none));
  if (written < 0) throw new PushRefused('process_vm_writev', written, 'hotexec');
}

/**
 * The descriptor's number in the target, where it is close-on-exec; the ends of the pair stay open, and closePassage closes them all.
 * Throws PushRefused. The room is empty.
 */
export function pushThrough(thread: RemoteThread, { pid, room }: { pid: number; room: bigint }, fd: number): number {
  const made = thread.call('socketpair', AF_UNIX, SOCK_DGRAM_CLOEXEC, 0, room);
  if (made < 0) throw new PushRefused('socketpair', made, 'target');
  const [receiver, sender] = named(thread, room);
  if (receiver === undefined || sender === undefined) throw new Error('socketpair named no descriptors');
  send(pullOrMeet(thread, { pid, room }, { receiver, sender }), fd);
  const message = room + BigInt(at.message);
  const length = thread.call('recvmsg', receiver, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) throw new PushRefused('recvmsg', length, 'target');
  const received = named(thread, room)[2];
  // MSG_CTRUNC: at its limit of descriptors, or a security module that does not let the descriptor through.
  if (received === undefined) throw new PushRefused('recvmsg', 0, 'target');
  return received;
}

/**
 * Copies of the target's descriptors by its own doing; each is to be closed by the caller, -errno for one that it does not have. The room is
 * empty; closePassage closes what is open in the target. Throws PushRefused.
 */
export function fetchThrough(
  thread: RemoteThread,
  { pid, room }: { pid: number; room: bigint },
  fds: readonly number[],
): readonly number[] {
  const made = thread.call('socketpair', AF_UNIX, SOCK_DGRAM_CLOEXEC, 0, room);
  if (made < 0) throw new PushRefused('socketpair', made, 'target');
  const [slot] = named(thread, room);
  if (slot === undefined) throw new Error('socketpair named no descriptors');
  const through = meetOrThrow(thread, pid, { slot, room });
  try {
    return fds.map((fd) => fetch(thread, room, { slot, through, fd }));
  } finally {
    syscall(arch.syscalls.close, through);
  }
}

function fetch(
  thread: RemoteThread,
  room: bigint,
  { slot, through, fd }: { slot: number; through: number; fd: number },
): number {
  // The number stands in a place of its own: what the room names is closed.
  const area = room + BigInt(fetchOffset);
  const written = thread.write(area, passage(area, fd));
  const sent = written < 0 ? written : thread.call('sendmsg', slot, area + BigInt(at.message), MSG_DONTWAIT);
  if (sent < 0) return sent;
  passage(ours.address, none).copy(ours.bytes);
  const got = syscall(
    arch.syscalls.recvmsg,
    through,
    ours.address + BigInt(at.message),
    MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
  );
  return got < 0 ? got : ours.view.getInt32(at.received, true);
}

/** Closes what the room names and empties it; right if nothing was made, and right a second time. */
export function closePassage(thread: RemoteThread, room: bigint): void {
  for (const fd of named(thread, room)) if (fd !== undefined) thread.call('close', fd);
  thread.write(room, passage(room, none));
}

/** From now on the received descriptor stays: only the pair is closed with the passage. */
export function keepReceived(thread: RemoteThread, room: bigint): void {
  const slot = Buffer.alloc(4);
  slot.writeInt32LE(none);
  thread.write(room + BigInt(at.received), slot);
}

type Named = readonly [receiver: number | undefined, sender: number | undefined, received: number | undefined];

function named(thread: RemoteThread, room: bigint): Named {
  const bytes = thread.read(room, sizeBytes);
  if (typeof bytes === 'number') return [undefined, undefined, undefined];
  const number = (offset: number): number | undefined => {
    const fd = bytes.readInt32LE(offset);
    return fd < 0 ? undefined : fd;
  };
  return [number(at.pair), number(at.pair + 4), number(at.received)];
}

function pullOrMeet(
  thread: RemoteThread,
  { pid, room }: { pid: number; room: bigint },
  { receiver, sender }: { receiver: number; sender: number },
): number {
  try {
    return pull(pid, thread.tid, sender);
  } catch (error) {
    if (!(error instanceof PushRefused && [-EPERM, -ENOSYS].includes(error.errno))) throw error;
    return meetOrThrow(thread, pid, { slot: receiver, room });
  }
}

function meetOrThrow(thread: RemoteThread, pid: number, { slot, room }: { slot: number; room: bigint }): number {
  const met = meet(thread, pid, { slot, room: room + BigInt(sizeBytes) });
  if (typeof met === 'number') return met;
  throw new PushRefused(met.call, met.errno, met.by);
}

function pull(pid: number, tid: number, fd: number): number {
  // A leader that has left has no descriptors any more; its thread has (PIDFD_THREAD, Linux 6.9).
  const pidfd = syscall(arch.syscalls.pidfd_open, tid, tid === pid ? 0 : PIDFD_THREAD);
  if (pidfd < 0) throw new PushRefused('pidfd_open', pidfd, 'hotexec');
  const pulled = syscall(arch.syscalls.pidfd_getfd, pidfd, fd, 0);
  syscall(arch.syscalls.close, pidfd);
  if (pulled < 0) throw new PushRefused('pidfd_getfd', pulled, 'hotexec');
  return pulled;
}

function send(through: number, fd: number): void {
  passage(ours.address, fd).copy(ours.bytes);
  const sent = syscall(arch.syscalls.sendmsg, through, ours.address + BigInt(at.message), MSG_DONTWAIT);
  syscall(arch.syscalls.close, through);
  if (sent < 0) throw new PushRefused('sendmsg', sent, 'hotexec');
}

/** The structures as they lie at `address`, with the descriptor in the cmsg. */
function passage(address: bigint, fd: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeInt32LE(none, at.pair);
  bytes.writeInt32LE(none, at.pair + 4);
  // struct iovec: base, length
  bytes.writeBigUInt64LE(address + BigInt(at.byte), at.iovec);
  bytes.writeBigUInt64LE(1n, at.iovec + 8);
  // struct msghdr: name, its length, iovec, how many, control, its size, flags
  bytes.writeBigUInt64LE(address + BigInt(at.iovec), at.message + 16);
  bytes.writeBigUInt64LE(1n, at.message + 24);
  bytes.writeBigUInt64LE(address + BigInt(at.control), at.message + 32);
  bytes.writeBigUInt64LE(BigInt(controlSizeBytes), at.message + 40);
  // struct cmsghdr: length without padding, level, type, data
  bytes.writeBigUInt64LE(20n, at.control);
  bytes.writeInt32LE(SOL_SOCKET, at.control + 8);
  bytes.writeInt32LE(SCM_RIGHTS, at.control + 12);
  bytes.writeInt32LE(fd, at.received);
  return bytes;
}
