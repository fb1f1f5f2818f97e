// Holding a process: one seized thread, and a group-stop that keeps all others still and catches the process if its tracer is killed.
// Only one thread is seized: with 1,000 threads the hold takes half the time, and execve needs no reaping of siblings (measured).
import { countThreads, listThreads } from '../procfs/threads.ts';
import { EPERM } from '../native/errno.ts';
import { StopTimeout } from './errors.ts';
import { cureInterruptedCall } from './cure.ts';
import * as ptrace from './ptrace/requests.ts';
import { sleep, waitFor } from './ptrace/wait.ts';
import { everySignal, isStopSignal, sendToThread, signalBit, SIGCONT, SIGSTOP } from './signals.ts';
import { threadState, type ThreadStates } from './thread-states.ts';
import { Tracee, type LiveStop } from './tracee.ts';

/** How long a thread that runs takes to stop where it is. */
const interruptMs = 1_000;

export interface Seized {
  readonly tracee: Tracee;
  /** The process was in a group-stop before we came. */
  readonly alreadyStopped: boolean;
}

/** Brings one thread to a stop. Nothing about it is changed: if the tracer ends now, it goes on. -errno: the kernel does not allow it. */
export function seizeThread(pid: number, tid: number, deadlineMs: number): Seized | number {
  const result = ptrace.seize(tid, ptrace.options.TRACESYSGOOD | ptrace.options.TRACEEXEC);
  if (result < 0) return result;
  const tracee = new Tracee(tid);
  // It may be in the middle of an execve, its own or that of an engine that was killed.
  tracee.expectExec(pid);
  tracee.interrupt();
  for (;;) {
    const stop = nextOrLeave(tracee, deadlineMs);
    if (stop.kind === 'stop') {
      // At once: if we are killed before the net is there, it goes on from here.
      cureOwnCall(tracee);
      return { tracee, alreadyStopped: isStopSignal(stop.signal) };
    }
    // An exec forgets the interrupt (kernel.md P51).
    if (stop.kind === 'exec') tracee.interrupt();
    tracee.resume(stop.kind === 'signal' ? stop.signal : 0);
  }
}

function nextOrLeave(tracee: Tracee, deadlineMs: number): ReturnType<Tracee['next']> {
  try {
    return tracee.next(deadlineMs);
  } catch (error) {
    // A running tracee cannot be detached; the end of the engine does that, and a thread that never stopped was never changed.
    throw error instanceof StopTimeout
      ? new StopTimeout(`thread ${tracee.tid} cannot be stopped: it waits uninterruptibly (state D)`)
      : error;
  }
}

/**
 * Puts the whole process into a group-stop and waits until every thread is in it.
 * The SIGSTOP is injected where the tracee would get it, which works for pid 1 of the tracer's own pid namespace too (kernel: a plain
 * kill of an init is ignored, a signal-delivery-stop is not).
 */
export function armNet(pid: number, tracee: Tracee, deadlineMs: number): void {
  if (sendToThread(pid, tracee.tid, SIGSTOP) === -EPERM) {
    armByItself(tracee, deadlineMs);
    return;
  }
  tracee.resume();
  for (;;) {
    const stop = tracee.next(deadlineMs);
    if (stop.kind === 'stop' && isStopSignal(stop.signal)) break;
    if (stop.kind === 'signal') tracee.resume(stop.signal);
    else tracee.resume();
  }
}

/**
 * The same for who may trace another user's process, but not send it signals (CAP_SYS_PTRACE without CAP_KILL). At a stop of a system call
 * the kernel lets a tracer name a signal, which the thread then sends to itself with the kernel's own right: also an init gets it
 * (include/linux/ptrace.h, ptrace_report_syscall). Until then the thread goes on as its own. Throws StopTimeout where it makes no call; it
 * stands at a stop then.
 */
function armByItself(tracee: Tracee, deadlineMs: number): void {
  let signal = SIGSTOP;
  for (;;) {
    tracee.resumeToSyscall(signal);
    const stop = nextOrInterrupt(tracee, deadlineMs);
    if (stop.kind === 'stop' && isStopSignal(stop.signal)) return;
    signal = stop.kind === 'signal' ? stop.signal : SIGSTOP;
  }
}

function nextOrInterrupt(tracee: Tracee, deadlineMs: number): LiveStop {
  try {
    return tracee.next(deadlineMs);
  } catch (error) {
    if (!(error instanceof StopTimeout)) throw error;
    tracee.interrupt();
    tracee.next(performance.now() + interruptMs);
    throw new StopTimeout(
      `thread ${tracee.tid} makes no system call, and only in one can hotexec stop another user's process without CAP_KILL`,
    );
  }
}

/** So many are looked at together. */
const atOnce = 32;

interface Awaited {
  readonly states: ThreadStates;
  readonly deadlineMs: number;
}

/** Waits until every sibling of the tracee is stopped. Returns the thread ids; StopTimeout names one that does not stop. */
export function awaitSiblings(pid: number, tid: number, awaited: Awaited): readonly number[] {
  const { states } = awaited;
  if (states.threads.length === 0) states.list();
  for (;;) {
    const living = awaitStopped(pid, awaited);
    // A thread that stands bears none, so there are no others where there are no more than these. Listing a thousand takes 1.5 ms.
    if (living.length === countThreads(pid) || !states.list()) return living.filter((thread) => thread !== tid);
  }
}

/** Of the listed threads those that live, when none of them moves any more. */
function awaitStopped(pid: number, { states, deadlineMs }: Awaited): readonly number[] {
  const gone = new Set<number>();
  for (const group of groupsOf(states.threads.length)) {
    while (stillMoves(group, states, gone)) {
      if (performance.now() > deadlineMs) throw notStopping(pid, states.threads[group.mover] ?? pid);
      sleep(100_000);
    }
  }
  return states.threads.filter((thread) => !gone.has(thread));
}

/** Threads that are looked at together, by their places in the list. */
interface Group {
  readonly from: number;
  readonly to: number;
  /** The one of them that is waited for. */
  mover: number;
}

/** The last of each is waited for: the kernel wakes them in the order of the list, and most stop in it (seen with 1,000 threads). */
function groupsOf(count: number): readonly Group[] {
  const starts = Array.from({ length: Math.ceil(count / atOnce) }, (_, index) => index * atOnce);
  return starts.map((from) => {
    const to = Math.min(from + atOnce, count);
    return { from, to, mover: to - 1 };
  });
}

/**
 * Those of the group that have ended are put among the `gone`. One alone is looked at while it moves: to look at a thousand takes 3 ms of a
 * CPU that they may need to stop, and the hold took up to 30 ms longer (measured, two CPUs).
 */
function stillMoves(group: Group, states: ThreadStates, gone: Set<number>): boolean {
  const { from, to, mover } = group;
  states.read(mover, mover + 1);
  if (!states.areStopped(mover, mover + 1) && states.letters(mover, mover + 1).some(isMoving)) return true;
  states.read(from, to);
  if (states.areStopped(from, to)) return false;
  const letters = states.letters(from, to);
  const moving = letters.findLastIndex(isMoving);
  if (moving === -1) letters.forEach((letter, index) => letter === 'X' && gone.add(states.threads[from + index] ?? 0));
  else group.mover = from + moving;
  return moving !== -1;
}

function isMoving(letter: string): boolean {
  return !'TtZX'.includes(letter);
}

function notStopping(pid: number, thread: number): StopTimeout {
  return new StopTimeout(
    `thread ${thread} cannot be stopped: it waits uninterruptibly (state ${threadState(pid, thread)})`,
  );
}

/** Its thread ids, none when the process has ended. */
export function threadsOf(pid: number): readonly number[] {
  const threads = listThreads(pid);
  return threads.kind === 'read' ? threads.content : [];
}

/**
 * Brings a tracee from a syscall-exit-stop to an event stop, where the kernel still finishes an interrupted call the right way. From a
 * syscall-exit-stop a plain continue would show -512…-516 to the program (measured).
 */
export function toEventStop(tracee: Tracee, deadlineMs: number): void {
  tracee.interrupt();
  tracee.resume();
  while (tracee.next(deadlineMs).kind !== 'stop') tracee.resume();
}

/** Of a thread at a stop that is not a syscall-stop. */
export function cureOwnCall(tracee: Tracee): void {
  const registers = tracee.registers();
  if (cureInterruptedCall(registers)) tracee.setRegisters(registers);
}

/** The siblings' interrupted calls, before the group-stop ends: each is seized where it stands, cured and let go; it stays stopped. */
export function cureSiblings(siblings: readonly number[], deadlineMs: number): void {
  for (const sibling of seizeStopped(siblings, 0, deadlineMs)) sibling.detach();
}

/** The same, and they stay seized, each at its stop. Returns their thread ids. */
export function seizeSiblings(siblings: readonly number[], options: number, deadlineMs: number): readonly number[] {
  return seizeStopped(siblings, options, deadlineMs).map((sibling) => sibling.tid);
}

function seizeStopped(tids: readonly number[], options: number, deadlineMs: number): readonly Tracee[] {
  return tids.flatMap((tid) => {
    if (ptrace.seize(tid, options) < 0) return []; // ended, a zombie leader, or traced by us already
    const tracee = new Tracee(tid);
    tracee.interrupt();
    const stop = waitFor(tid, deadlineMs);
    if (stop === 'timeout' || stop === 'gone' || stop.kind === 'exited' || stop.kind === 'killed') return [];
    cureOwnCall(tracee);
    return [tracee];
  });
}

export interface EndOfHold {
  readonly pid: number;
  readonly tracee: Tracee;
  /** The signal mask the thread goes on with. */
  readonly mask: bigint;
  /** Brings the thread to the exit of a system call, with its own registers. Only called where no signal may be sent to it. */
  readonly standAtCall: () => void;
  readonly deadlineMs: number;
}

/**
 * Ends the group-stop. The thread then stands at a stop, ready to be detached: nothing of the SIGCONT that this takes is left.
 * From the SIGCONT on nothing keeps the process still, so the thread has its own mask before: killed in here, it goes on as it should.
 * Returns the stop signal that somebody else has sent meanwhile; 0 for none.
 */
export function endGroupStop({ pid, tracee, mask, standAtCall, deadlineMs }: EndOfHold): number {
  tracee.setSignalMask(mask & ~signalBit(SIGCONT));
  if (sendToThread(pid, tracee.tid, SIGCONT) === -EPERM) {
    tracee.setSignalMask(everySignal);
    standAtCall();
    tracee.setSignalMask(mask & ~signalBit(SIGCONT));
    tracee.resume(SIGCONT);
  } else {
    tracee.resume();
  }
  const stoppedBy = awaitContinue(tracee, deadlineMs);
  if ((mask & signalBit(SIGCONT)) !== 0n) tracee.setSignalMask(mask);
  return stoppedBy;
}

function awaitContinue(tracee: Tracee, deadlineMs: number): number {
  for (;;) {
    const stop = tracee.next(deadlineMs);
    if (stop.kind === 'signal' && stop.signal === SIGCONT) return 0;
    // The SIGCONT is gone: a stop signal takes it out of the queue (kernel/signal.c prepare_signal).
    if (stop.kind === 'signal' && isStopSignal(stop.signal)) return stop.signal;
    tracee.resume(stop.kind === 'signal' ? stop.signal : 0);
  }
}
