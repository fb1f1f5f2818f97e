// What all resets share: the held new program, what was observed of the old one, and the list of what could not be reset.
import type { SyscallName } from '../../arch/arch.ts';
import type { ProcessStatus } from '../../procfs/status.ts';
import type { NotFresh } from '../../protocol/result.ts';
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

export function report(reset: Reset, attribute: string, message: string): void {
  reset.notFresh.push({ attribute, message });
}

/** Makes a call that may be refused: true when it was made and worked. */
export function attempt(
  reset: Reset,
  name: Exclude<SyscallName, 'poll' | 'ppoll' | 'epoll_wait'>,
  ...args: (number | bigint)[]
): boolean {
  return reset.held.thread.call(name, ...args) >= 0;
}
