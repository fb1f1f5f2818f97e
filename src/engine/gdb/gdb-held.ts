// A target that a gdb holds for us. The process is put into a group-stop before gdb attaches: that is the net, for when gdb goes, by
// whatever way, the kernel lets the threads fall back into it; and no thread is born while gdb goes through them. What was changed
// stands in the same journal and is put back by the same undo as with ptrace.
import type { Registers } from '../../arch/registers.ts';
import { HotexecError } from '../../errors.ts';
import type { Gdb } from '../../gdb/gdb.ts';
import { GdbThread } from '../../gdb/gdb-thread.ts';
import { GdbRefused } from '../../gdb/errors.ts';
import type { Change } from '../../journal/change.ts';
import type { Journal } from '../../journal/journal.ts';
import type { ProcessHandle } from '../../native/pidfd.ts';
import type { TargetProcess } from '../../protocol/request.ts';
import { RemoteThread, type Allows, type RemoteObserver } from '../../remote/remote-thread.ts';
import { cureInterruptedCall } from '../../tracer/cure.ts';
import { StopTimeout } from '../../tracer/errors.ts';
import { awaitSiblings } from '../../tracer/hold.ts';
import { everySignal, isStopSignal, SIGCONT, signalBit, SIGSTOP } from '../../tracer/signals.ts';
import { threadIds, ThreadStates } from '../../tracer/thread-states.ts';
import { holdTimeout, instructionOf, registersChange, stoppedChange, type Watches } from '../held.ts';
import type { Hold } from '../hold.ts';
import { checkIdentity } from '../seize.ts';
import { undoable } from '../undo.ts';
import { ownMask, readBlocked, setMask } from './signal-mask.ts';
import { LibcThread } from './libc-thread.ts';
import type { Library } from './library.ts';
import { catchCalls, catchEveryCall, cureInterruptedCalls, prepareCalls, prepareSteps } from './settings.ts';

const stopDeadlineMs = 1_000;
/** Below the new stack pointer nothing has been written yet. */
const roomBelowStack = 32n * 1024n;

export interface GdbMeans {
  readonly target: TargetProcess;
  readonly gdb: Gdb;
  readonly handle: ProcessHandle;
  readonly journal: Journal;
  /** What the target's seccomp filters let through. */
  readonly allows: Allows;
  /** Its functions make the calls; null: the thread does, by its registers. */
  readonly library: Library | null;
}

export class GdbHeld implements Hold {
  readonly pid: number;
  readonly tracee: GdbThread;
  readonly journal: Journal;
  readonly byPtrace = null;
  readonly traced = null;
  image: 'old' | 'new' = 'old';
  threads = 1;
  holdMs = 0;
  stackPointer = 0n;
  watches: Watches | null = null;
  readonly #target: TargetProcess;
  readonly #gdb: Gdb;
  readonly #handle: ProcessHandle;
  readonly #allows: Allows;
  readonly #library: Library | null;
  #remote: RemoteThread | null = null;
  #alreadyStopped = false;
  #stopSent = false;
  #attached = false;
  #released = false;
  #heldSinceMs = 0;
  /** The thread's own. */
  #mask = 0n;
  /** Of the journal's line `stopped`. */
  #stoppedId: number | null = null;
  readonly #tracerId: number;

  constructor({ target, gdb, handle, journal, allows, library }: GdbMeans) {
    this.pid = target.pid;
    this.tracee = new GdbThread(gdb, target.pid);
    this.journal = journal;
    this.#target = target;
    this.#gdb = gdb;
    this.#handle = handle;
    this.#allows = allows;
    this.#library = library;
    this.#tracerId = journal.enter({ kind: 'tracer', pid: gdb.pid, startTicks: gdb.startTicks });
  }

  stopAll(alreadyStopped: boolean): Disposable {
    this.#alreadyStopped = alreadyStopped;
    this.#enterStopped(alreadyStopped, readBlocked(this.pid));
    this.#heldSinceMs = performance.now();
    const stopped = {
      [Symbol.dispose]: (): void => {
        if (this.image === 'old') this.release();
      },
    };
    try {
      this.#stop();
      this.#attach();
    } catch (error) {
      stopped[Symbol.dispose]();
      throw error instanceof StopTimeout ? holdTimeout(this.#target.name, error.message) : error;
    }
    return stopped;
  }

  #stop(): void {
    this.#stopSent = true;
    if (!this.#alreadyStopped) this.#handle.signal(SIGSTOP);
    using states = new ThreadStates(this.pid);
    awaitSiblings(this.pid, 0, { states, deadlineMs: this.#heldSinceMs + stopDeadlineMs });
    this.threads = threadIds(this.pid).length;
  }

  #attach(): void {
    // From here on gdb may have it, whatever it answers.
    this.#attached = true;
    try {
      this.#gdb.ask(`-target-attach ${this.pid}`);
    } catch (error) {
      if (!(error instanceof GdbRefused)) throw error;
      this.#attached = false;
      throw attachRefused(this.#target, error);
    }
    checkIdentity(this.#target);
    if (this.#library === null) prepareSteps(this.#gdb);
    else prepareCalls(this.#gdb);
  }

  #enterStopped(alreadyStopped: boolean, mask: bigint): void {
    this.#mask = mask;
    this.#stoppedId = this.journal.enter(stoppedChange(this, alreadyStopped, mask));
  }

  borrow(instruction: bigint, observe: RemoteObserver): Disposable {
    const own = this.tracee.registers();
    cureInterruptedCall(own);
    const change = this.change(registersChange(this.tracee.tid, own));
    const means = { instruction, observe, allows: this.#allows };
    this.#remote =
      this.#library === null
        ? new RemoteThread(this.tracee, own, means)
        : new LibcThread({ thread: this.tracee, own, gdb: this.#gdb, library: this.#library }, means);
    return change;
  }

  /** gdb has no request for a thread's mask, so the thread sets it itself; until then a signal's handler runs as it would anyway. */
  blockSignals(room: bigint): Disposable | null {
    // A function returns by a trap; one that is blocked would take the program's own handler away (kernel/signal.c force_sig_info_to_task).
    if (this.#library !== null) return null;
    const blocked = this.#blockAll(room);
    catchEveryCall(this.#gdb);
    return blocked;
  }

  #blockAll(room: bigint): Disposable | null {
    const mask = ownMask(this.thread, room);
    if (mask === null) return null;
    // What /proc tells of a thread in sigsuspend is not its own mask; this is.
    this.#mask = mask;
    const change = this.change({ kind: 'mask', mask: mask.toString(16), room: `0x${room.toString(16)}` });
    setMask(this.thread, { room, mask: everySignal });
    return change;
  }

  get thread(): RemoteThread {
    if (this.#remote === null) throw new Error('the registers of the target are not borrowed');
    return this.#remote;
  }

  change(change: Change): Disposable {
    return undoable(this, change);
  }

  /** The SIGSTOP is taken where the thread would get it, at its exit from the exec; gdb then tells of the group-stop itself, too. */
  stopNew(): void {
    this.#enterStopped(false, 0n);
    this.#handle.signal(SIGSTOP);
    const deadlineMs = performance.now() + stopDeadlineMs;
    for (let stops = 0; stops < 2;) {
      this.tracee.resumeToSyscall();
      const stop = this.tracee.next(deadlineMs);
      if (stop.kind === 'syscall') throw new Error('the new program has run before it was stopped');
      if (stop.kind === 'signal' && isStopSignal(stop.signal)) stops++;
    }
  }

  borrowNew(observe: RemoteObserver): Disposable {
    const own = this.tracee.registers();
    const instruction = instructionOf(this.tracee.tid);
    const id = this.journal.enter(registersChange(this.tracee.tid, own));
    this.stackPointer = own.stackPointer;
    this.#remote = new RemoteThread(this.tracee, own, { instruction, observe, allows: this.#allows });
    const room = (own.stackPointer - roomBelowStack) & ~0xfffn;
    // Not blocked so far: a timer of the old program is not to end the new one before it is reset.
    if (this.#library !== null) setMask(this.thread, { room, mask: everySignal });
    return {
      [Symbol.dispose]: (): void => {
        setMask(this.thread, { room, mask: 0n });
        this.giveBack(own);
        this.journal.mark('own');
        this.journal.strike(id);
      },
    };
  }

  giveBackMask(mask: bigint, room: bigint): void {
    catchCalls(this.#gdb, ['rt_sigprocmask', 'munmap']);
    setMask(this.thread, { room, mask });
  }

  giveBack(registers: Registers): void {
    this.tracee.setRegisters(registers);
    this.#remote = null;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (!this.#stopSent) return;
    const staysStopped = this.image === 'old' && this.#alreadyStopped;
    if (this.#attached) {
      // A gdb that has ended leaves borrowed registers behind: then nothing is let go here, and a mender sees to it.
      this.#gdb.ask('-list-features');
      if (this.image === 'old') cureInterruptedCalls(this.#gdb);
      if (!staysStopped) this.#endGroupStop();
      this.#mark();
      this.#gdb.ask('-target-detach');
    } else {
      if (!staysStopped) this.#handle.signal(SIGCONT);
      this.#mark();
    }
    this.holdMs = performance.now() - this.#heldSinceMs;
  }

  /** Written before the program runs: a mender must not give it a mask that it may have changed since. */
  #mark(): void {
    if (this.image === 'new') this.journal.mark('released');
    else if (this.#stoppedId !== null) this.journal.strike(this.#stoppedId);
  }

  /**
   * The SIGCONT ends the group-stop at once; gdb, told of it at its delivery, does not pass it on. There the kernel finishes an interrupted
   * call the right way, too. A thread that blocks SIGCONT does not take it: it is for another one, and may be seen.
   */
  #endGroupStop(): void {
    this.#handle.signal(SIGCONT);
    if ((this.#mask & signalBit(SIGCONT)) !== 0n) return;
    const deadlineMs = performance.now() + stopDeadlineMs;
    for (;;) {
      this.tracee.resumeToSyscall();
      const stop = this.tracee.next(deadlineMs);
      if (stop.kind === 'signal' && stop.signal === SIGCONT) return;
      // It goes on already: somebody else has taken the signal away.
      if (stop.kind === 'syscall') return;
    }
  }

  [Symbol.dispose](): void {
    using _handle = this.#handle;
    using gdb = this.#gdb;
    this.release();
    gdb[Symbol.dispose]();
    this.journal.strike(this.#tracerId);
  }
}

function attachRefused(target: TargetProcess, error: GdbRefused): HotexecError {
  return new HotexecError({
    code: 'gdb-failed',
    message: `${target.name}: gdb does not attach to process ${target.pid}: ${error.message}. It runs on unchanged.`,
    hint: '`hotexec doctor TARGET` tells which rule stands against it',
  });
}
