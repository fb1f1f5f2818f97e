// A connection between this process and the held one where its descriptors may not be pulled (pidfd_getfd is kept for CAP_SYS_PTRACE by
// runtimes' seccomp profiles): both are in one network namespace, where abstract Unix sockets are known by name (unix(7)).
import { closeSync } from 'node:fs';
import { arch, type SyscallName } from '../arch/arch.ts';
import { allocate } from '../native/memory.ts';
import { randomBytes } from '../native/random.ts';
import { readOption } from '../native/sockets.ts';
import { syscall } from '../native/syscall.ts';
import type { RemoteThread } from './remote-thread.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const CLOEXEC = 0o200_0000;
const NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** A family, a NUL, and a name that nobody guesses. */
const addressSizeBytes = 2 + 1 + 24;
/** Of target memory that a meeting uses. */
export const meetingSizeBytes: number = addressSizeBytes;

const address = allocate(addressSizeBytes);

/** What did not do what it must, and who made it. */
export interface Missed {
  readonly call: SyscallName;
  readonly errno: number;
  readonly by: 'target' | 'hotexec';
}

/**
 * Our end, connected to a socket of the target that takes the place of `slot`: a descriptor of it that is closed for that, and known to
 * whoever cleans up. `room`: memory of the target for the address, zeroed again. Everything but this thread stands still, so the number
 * is free for the next descriptor.
 */
export function meet(
  thread: RemoteThread,
  pid: number,
  { slot, room }: { slot: number; room: bigint },
): number | Missed {
  randomBytes(addressSizeBytes - 3).copy(address.bytes, 3);
  address.view.setUint16(0, AF_UNIX, true);
  const listener = syscall(arch.syscalls.socket, AF_UNIX, SOCK_SEQPACKET | CLOEXEC | NONBLOCK, 0);
  if (listener < 0) return { call: 'socket', errno: listener, by: 'hotexec' };
  try {
    const bound = syscall(arch.syscalls.bind, listener, address.address, addressSizeBytes);
    if (bound < 0) return { call: 'bind', errno: bound, by: 'hotexec' };
    syscall(arch.syscalls.listen, listener, 8);
    const failed = connectTarget(thread, slot, room);
    return failed ?? acceptFrom(listener, pid);
  } finally {
    closeSync(listener);
    thread.write(room, Buffer.alloc(addressSizeBytes));
  }
}

function connectTarget(thread: RemoteThread, slot: number, room: bigint): Missed | null {
  thread.call('close', slot);
  const made = thread.call('socket', AF_UNIX, SOCK_SEQPACKET | CLOEXEC, 0);
  if (made < 0) return missed('socket', made);
  if (made !== slot) {
    // Another process shares its descriptors, and runs.
    thread.call('close', made);
    return missed('socket', 0);
  }
  const written = thread.write(room, Buffer.from(address.bytes));
  if (written < 0) return { call: 'process_vm_writev', errno: written, by: 'hotexec' };
  const connected = thread.call('connect', slot, room, addressSizeBytes);
  return connected < 0 ? missed('connect', connected) : null;
}

function missed(call: SyscallName, errno: number): Missed {
  return { call, errno, by: 'target' };
}

/** Nobody else knows the name, but the namespace lists it (/proc/net/unix). */
function acceptFrom(listener: number, pid: number): number | Missed {
  for (;;) {
    const accepted = syscall(arch.syscalls.accept4, listener, 0, 0, CLOEXEC | NONBLOCK);
    if (accepted < 0) return { call: 'accept4', errno: accepted, by: 'hotexec' };
    const peer = readOption(accepted, SOL_SOCKET, SO_PEERCRED);
    if (typeof peer !== 'number' && peer.readInt32LE(0) === pid) return accepted;
    closeSync(accepted);
  }
}
