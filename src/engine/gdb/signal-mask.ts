// The signal mask of a thread that gdb holds: the thread itself is made to change it.
import { readFileSync } from 'node:fs';
import { parseStatus } from '../../procfs/status.ts';
import type { RemoteThread } from '../../remote/remote-thread.ts';

const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const sizeBytes = 8;

/** What the main thread of a process blocks at the moment; in sigsuspend(2) that is not its own mask. */
export function readBlocked(pid: number): bigint {
  return parseStatus(readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8')).sigBlk ?? 0n;
}

interface Room {
  /** 8 bytes of the target's memory, zero before and after. */
  readonly room: bigint;
  readonly mask: bigint;
}

/** Of the thread itself; null when it may not ask for it. `room`: 8 bytes of the target's memory, zero before and after. */
export function ownMask(thread: RemoteThread, room: bigint): bigint | null {
  if (thread.call('rt_sigprocmask', SIG_BLOCK, 0, room, sizeBytes) < 0) return null;
  const mask = thread.read(room, sizeBytes);
  thread.write(room, Buffer.alloc(sizeBytes));
  return typeof mask === 'number' ? null : mask.readBigUInt64LE(0);
}

export function setMask(thread: RemoteThread, { room, mask }: Room): void {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeBigUInt64LE(mask);
  thread.write(room, bytes);
  thread.call('rt_sigprocmask', SIG_SETMASK, room, 0, sizeBytes);
  thread.write(room, Buffer.alloc(sizeBytes));
}
