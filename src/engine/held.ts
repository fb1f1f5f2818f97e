// A held target: one seized thread in a group-stop of the whole process, and the thread's registers when they are borrowed.
// All that was changed stands in the journal; leaving a scope puts it back by the same code that a mender uses.
import { HotexecError } from '../errors.ts';
import type { Change } from '../journal/change.ts';
import type { Journal } from '../journal/journal.ts';
import { Registers } from '../arch/registers.ts';
import { findSyscallInstruction } from '../remote/instruction.ts';
import { RemoteThread, type Allows, type RemoteObserver } from '../remote/remote-thread.ts';
import { cureInterruptedCall, cureRestartableSequence } from '../tracer/cure.ts';
import {
  armNet,
  awaitSiblings,
  cureOwnCall,
  cureSiblings,
  endGroupStop,
  seizeSiblings,
  toEventStop,
} from '../tracer/hold.ts';
import * as ptrace from '../tracer/ptrace/requests.ts';
import { withoutLoad } from '../tracer/scheduling.ts';
import { blockable, everySignal, sendToThread, SIGCONT, signalBit } from '../tracer/signals.ts';
import { ThreadStates } from '../tracer/thread-states.ts';
import type { Tracee } from '../tracer/tracee.ts';
import { TracedProcess, tracingOptions, type Tracing } from '../tracer/traced-process.ts';
import type { Hold } from './hold.ts';
import { undoable } from './undo.ts';

const stopDeadlineMs = 1_000;

/** What goes on traced when it is let go, with all its threads: the old program or the new one. */
export interface Watches {
  readonly image: 'old' | 'new';
  readonly tracing: Tracing;
}

export class Held implements Hold {
  readonly pid: number;
  readonly tracee: Tracee;
  readonly journal: Journal;
  /** Its files are best opened before the hold. */
  states: ThreadStates;
  /** Which program is there: after the exec nothing of the old one can be put back. */
  image: 'old' | 'new' = 'old';
  /** A thread at a syscall-stop must come to an event stop before it gets its own registers back. */
  atEventStop = true;
  remote: RemoteThread | null = null;
  /** What the target's seccomp filters let through. */
  allows: Allows = () => true;
  siblings: readonly number[] = [];
  /** How many threads were stopped. */
  threads = 1;
  /** How long all threads stood still, when it is over. */
  holdMs = 0;
  /** Null: neither program goes on traced. */
  watches: Watches | null = null;
  /** The process as it goes on then. */
  traced: TracedProcess | null = null;
  /** It was traced before this hold, and is after it: the one thread is left at a stop for that tracer, with these options. */
  staysTraced: Tracing | null = null;
  /** Of the new program, at its first instruction. */
  stackPointer = 0n;
  #alreadyStopped = false;
  #released = false;
  /** The thread's own; null: it was never changed. */
  #ownMask: bigint | null = null;
  #heldSinceMs: number | null = null;
  /** Of the journal's line `stopped`. */
  #stoppedId: number | null = null;

  constructor(pid: number, tracee: Tracee, journal: Journal) {
    this.pid = pid;
    this.tracee = tracee;
    this.journal = journal;
    this.states = new ThreadStates(pid);
  }

  get byPtrace(): Held {
    return this;
  }

  /** Stops every thread. The target is safe from now on: if we are killed it stands stopped with its own registers. */
  stopAll(alreadyStopped: boolean): Disposable {
    this.#alreadyStopped = alreadyStopped;
    this.#enterStopped(alreadyStopped, this.tracee.signalMask());
    this.#heldSinceMs = performance.now();
    const deadlineMs = this.#heldSinceMs + stopDeadlineMs;
    const stopped = {
      [Symbol.dispose]: (): void => {
        if (this.image === 'old') this.release();
      },
    };
    try {
      if (!alreadyStopped) withoutLoad(this.states.threads.length, () => armNet(this.pid, this.tracee, deadlineMs));
      this.siblings = awaitSiblings(this.pid, this.tracee.tid, { states: this.states, deadlineMs });
      this.threads = this.siblings.length + 1;
    } catch (error) {
      stopped[Symbol.dispose]();
      throw error;
    }
    return stopped;
  }

  #enterStopped(alreadyStopped: boolean, mask: bigint): void {
    this.#ownMask = mask;
    this.#stoppedId = this.journal.enter(stoppedChange(this, alreadyStopped, mask));
  }

  /** The net again: execve has torn it. The new program has not run yet. */
  stopNew(): void {
    this.#enterStopped(false, 0n);
    armNet(this.pid, this.tracee, performance.now() + stopDeadlineMs);
    this.atEventStop = true;
    this.siblings = [];
  }

  /** Borrows the thread's registers for remote calls; every signal but SIGSTOP waits meanwhile. */
  borrow(instruction: bigint, observe: RemoteObserver): Disposable {
    const own = this.tracee.registers();
    cureInterruptedCall(own);
    cureRestartableSequence(this.tracee.tid, own);
    const change = this.change(registersChange(this.tracee.tid, own));
    this.#lend(own, instruction, observe);
    return change;
  }

  /** The same of a thread that was caught at the entry of a system call, whose registers are in the change. */
  borrowInCall(instruction: bigint, change: Extract<Change, { kind: 'bind' }>): Disposable {
    const own = new Registers(Buffer.from(change.bytes, 'hex'));
    const borrowed = this.change(change);
    this.#lend(own, instruction, null);
    return borrowed;
  }

  #lend(own: Registers, instruction: bigint, observe: RemoteObserver): void {
    this.tracee.setSignalMask(everySignal);
    this.tracee.setOptions(
      ptrace.options.TRACESYSGOOD | ptrace.options.TRACEEXEC | ptrace.options.TRACECLONE | ptrace.options.TRACEFORK,
    );
    this.remote = new RemoteThread(this.tracee, own, { instruction, observe, allows: this.allows });
    this.atEventStop = false;
  }

  /** Borrows the new program's registers for the resets; leaving the scope gives them back. */
  borrowNew(observe: RemoteObserver): Disposable {
    const own = this.tracee.registers();
    const instruction = instructionOf(this.tracee.tid);
    const id = this.journal.enter(registersChange(this.tracee.tid, own));
    this.stackPointer = own.stackPointer;
    this.remote = new RemoteThread(this.tracee, own, { instruction, observe, allows: this.allows });
    this.atEventStop = false;
    return {
      [Symbol.dispose]: (): void => {
        this.giveBack(own);
        this.journal.mark('own');
        this.journal.strike(id);
      },
    };
  }

  /** They are blocked while registers are borrowed. */
  blockSignals(): null {
    return null;
  }

  /** It is given back with the release. */
  giveBackMask(): void {}

  /** The thread that makes calls for us; a bug if its registers are not borrowed. */
  get thread(): RemoteThread {
    if (this.remote === null) throw new Error('the registers of the target are not borrowed');
    return this.remote;
  }

  /** Writes the change down; the effect comes after, and leaving the scope undoes it while the old program is there. */
  change(change: Change): Disposable {
    return undoable(this, change);
  }

  /** Puts the thread's own registers back, at a stop where the kernel finishes an interrupted call. */
  giveBack(registers: Registers): void {
    if (!this.atEventStop) toEventStop(this.tracee, performance.now() + stopDeadlineMs);
    this.atEventStop = true;
    this.tracee.setRegisters(registers);
    this.remote = null;
  }

  /** Lets all threads go on. What they waited in must not answer EINTR for our sake. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    const deadlineMs = performance.now() + stopDeadlineMs;
    // A new program may have gone on already, and a mender has interrupted it.
    cureOwnCall(this.tracee);
    const tracing = this.watches?.image === this.image ? this.watches.tracing : null;
    const traced =
      this.image === 'old' && tracing !== null ? seizeSiblings(this.siblings, tracingOptions(tracing), deadlineMs) : [];
    if (traced.length === 0) cureSiblings(this.siblings, deadlineMs);
    if (this.#heldSinceMs === null) {
      this.tracee.detach();
      return;
    }
    const mask = this.#ownMask ?? this.tracee.signalMask();
    const keepStopped = this.image === 'old' && this.#alreadyStopped;
    if (keepStopped) this.tracee.setSignalMask(mask);
    const stoppedBy = keepStopped
      ? 0
      : endGroupStop({ pid: this.pid, tracee: this.tracee, mask, standAtCall: () => this.#standAtCall(), deadlineMs });
    const options = tracing ?? this.staysTraced;
    if (options !== null) this.tracee.setOptions(tracingOptions(options));
    // Written before the program runs: a mender must not give it a mask that it may have changed since.
    if (this.image === 'new') this.journal.mark('released');
    else if (this.#stoppedId !== null) this.journal.strike(this.#stoppedId);
    if (options === null) this.tracee.detach();
    if (tracing !== null) this.traced = new TracedProcess(this.pid, [this.tracee.tid, ...traced], tracing);
    this.traced?.start();
    if (stoppedBy !== 0) sendToThread(this.pid, this.tracee.tid, stoppedBy);
    this.holdMs = performance.now() - this.#heldSinceMs;
  }

  /** The net is there until the call's exit is left, and the journal has the registers until they are given back. */
  #standAtCall(): void {
    const { tracee, allows } = this;
    const own = tracee.registers();
    const instruction = instructionOf(tracee.tid);
    const id = this.journal.enter(registersChange(tracee.tid, own));
    new RemoteThread(tracee, own, { instruction, observe: null, allows }).call('sched_yield');
    tracee.setRegisters(own);
    this.journal.strike(id);
  }

  /** What a mender knows from the journal. */
  adopt(known: {
    readonly alreadyStopped: boolean;
    readonly mask: bigint | null;
    readonly stoppedId: number | null;
    readonly siblings: readonly number[];
  }): void {
    this.#alreadyStopped = known.alreadyStopped;
    this.#ownMask = known.mask === null || this.#hasOurMask(known.mask) ? known.mask : null;
    this.#stoppedId = known.stoppedId;
    this.#heldSinceMs = performance.now();
    this.siblings = known.siblings;
  }

  /** The engine that was killed may have let the thread go already: what mask it has then is its own doing. */
  #hasOurMask(own: bigint): boolean {
    const now = this.tracee.signalMask();
    return now === blockable || now === (own & ~signalBit(SIGCONT));
  }

  /** On every path the target goes on; what was changed in the old program has been put back by the scopes inside. */
  [Symbol.dispose](): void {
    this.release();
    this.states[Symbol.dispose]();
  }
}

/** `mask`: the thread's own. */
export function stoppedChange({ pid, tracee }: Hold, alreadyStopped: boolean, mask: bigint): Change {
  return { kind: 'stopped', pid, alreadyStopped, tid: tracee.tid, mask: mask.toString(16) };
}

/** Of a program that is known to have one. */
export function instructionOf(tid: number): bigint {
  const instruction = findSyscallInstruction(tid);
  if (instruction === undefined) throw new Error('the program has no vDSO and no code with a syscall instruction');
  return instruction;
}

export function registersChange(tid: number, registers: Registers): Change {
  return { kind: 'registers', tid, bytes: registers.bytes.toString('hex') };
}

/** The sentence for a thread that does not stop. */
export function holdTimeout(name: string, why: string): HotexecError {
  return new HotexecError({
    code: 'hold-timeout',
    message: `${name}: not every thread could be stopped within ${stopDeadlineMs / 1000} s: ${why}. All threads run again, unchanged.`,
    hint: 'it may be starting another program (vfork) or waiting for a device: try again',
  });
}
