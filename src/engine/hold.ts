// A held target, whoever holds it: what the main flow and its steps may do with it. Held (held.ts) is the one of ptrace, GdbHeld
// (gdb/gdb-held.ts) that of a gdb which is told what to do; the order of the calls is that of `exchange` in restart.ts.
import type { Registers } from '../arch/registers.ts';
import type { Change } from '../journal/change.ts';
import type { Journal } from '../journal/journal.ts';
import type { RemoteObserver, RemoteThread } from '../remote/remote-thread.ts';
import type { HeldThread } from '../tracer/held-thread.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import type { Held, Watches } from './held.ts';

export interface Hold extends Disposable {
  readonly pid: number;
  /** The one thread that is changed. */
  readonly tracee: HeldThread;
  readonly journal: Journal;
  /** The same, if it is ptrace's: for children that share the memory, which take a tracer. Null: another program traces. */
  readonly byPtrace: Held | null;
  /** Which program is there: after the exec nothing of the old one can be put back. */
  image: 'old' | 'new';
  /** How many threads were stopped. */
  readonly threads: number;
  /** How long all threads stood still, when it is over. */
  readonly holdMs: number;
  /** Of the new program, at its first instruction. */
  readonly stackPointer: bigint;
  /** The thread that makes calls for us; a bug if its registers are not borrowed. */
  readonly thread: RemoteThread;
  /** What goes on traced when it is let go; null: nothing. */
  watches: Watches | null;
  /** The process as it goes on then. */
  readonly traced: TracedProcess | null;

  /** Stops every thread, and arms the net: killed from now on, we leave it standing stopped. Leaving the scope lets the old program go on. */
  stopAll(alreadyStopped: boolean): Disposable;
  /** Borrows the thread's registers for remote calls; leaving the scope gives them back. */
  borrow(instruction: bigint, observe: RemoteObserver): Disposable;
  /** No signal comes in between from now on. `room`: 256 zeroed bytes of scratch memory. Null: it is so since the registers were borrowed. */
  blockSignals(room: bigint): Disposable | null;
  /** Writes the change down; the effect comes after, and leaving the scope undoes it while the old program is there. */
  change(change: Change): Disposable;
  /** The net again: execve has torn it. The new program has not run yet. */
  stopNew(): void;
  /** Borrows the new program's registers for the resets; leaving the scope gives them back. */
  borrowNew(observe: RemoteObserver): Disposable;
  giveBack(registers: Registers): void;
  /** What blockSignals has changed. */
  giveBackMask(mask: bigint, room: bigint): void;
  /** Lets all threads go on. */
  release(): void;
}
