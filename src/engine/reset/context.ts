// What all resets share: the held new program, what was observed of the old one, and the list of what could not be reset.
import { EACCES, EPERM } from '../../native/errno.ts';
import type { ProcessStatus } from '../../procfs/status.ts';
import type { NotFresh } from '../../protocol/result.ts';
import type { RemoteName } from '../../remote/remote-thread.ts';
import type { Hold } from '../hold.ts';
import type { Observed } from '../observe.ts';

export interface Reset {
  readonly held: Hold;
  readonly observed: Observed;
  readonly status: ProcessStatus;
  /** Address of 256 bytes in the target, zeroed. */
  readonly room: bigint;
  readonly inContainer: boolean;
  readonly notFresh: NotFresh[];
  readonly cwd: string | null;
  /** The signal by which hotexec has asked the old program to finish; null: it was not asked. */
  readonly ourSignal: number | null;
}

/**
 * A call of ours about the target; where we have not the right to it (another user's process, or one with more capabilities than ours),
 * the target makes it about itself, with `bytes` in the room that they are given.
 */
export function byEither(
  reset: Reset,
  ours: () => number,
  theirs: { readonly call: readonly [RemoteName, ...(number | bigint)[]]; readonly bytes?: Buffer },
): number {
  const answer = ours();
  if (answer !== -EPERM && answer !== -EACCES) return answer;
  const { held, room } = reset;
  const { call, bytes = Buffer.alloc(0) } = theirs;
  const written = held.thread.write(room, bytes);
  if (written < 0) return answer;
  const answered = held.thread.call(...call);
  held.thread.write(room, Buffer.alloc(bytes.length));
  return answered;
}

export function report(reset: Reset, attribute: string, message: string): void {
  reset.notFresh.push({ attribute, message });
}

/** Makes a call that may be refused: true when it was made and worked. */
export function attempt(reset: Reset, name: RemoteName, ...args: (number | bigint)[]): boolean {
  return reset.held.thread.call(name, ...args) >= 0;
}
