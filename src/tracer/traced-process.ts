// A process that runs with all its threads traced, and if asked its descendants too: none makes a system call, gets a signal, is born or
// ends unseen. What only concerns the tracing itself is answered in here; the rest is handed out, one stop at a time, and that thread
// waits for `go`.
import { existsSync } from 'node:fs';
import { Registers } from '../arch/registers.ts';
import { EINTR } from '../native/errno.ts';
import { readText } from '../procfs/read.ts';
import { statusField } from '../procfs/status.ts';
import { processOf } from '../procfs/threads.ts';
import { cureInterruptedCall } from './cure.ts';
import { GoingAlone, type AloneThread } from './going-alone.ts';
import { threadsOf } from './hold.ts';
import * as ptrace from './ptrace/requests.ts';
import { waitFor, waitForAny, type Stop } from './ptrace/wait.ts';
import { isStopSignal } from './signals.ts';
import { threadState } from './thread-states.ts';
import { Tracee } from './tracee.ts';

export type ProcessStop =
  /** A thread is about to make one of the system calls that were asked for; the kernel has not begun it. */
  | { readonly kind: 'entry'; readonly pid: number; readonly tid: number; readonly call: ptrace.SyscallEntry }
  /** A thread is about to get a signal. */
  | {
      readonly kind: 'signal';
      readonly pid: number;
      readonly tid: number;
      readonly signal: number;
      readonly info: ptrace.SignalInfo;
    }
  /** The process has ended; null: by a signal. Nothing can be caught any more. */
  | { readonly kind: 'ended'; readonly exitCode: number | null; readonly signal: number | null }
  | { readonly kind: 'timeout' };

/** `syscalls`: every system call stops; `signals`: signals alone, which costs a program nothing that gets none. */
export type TracingMode = 'syscalls' | 'signals';

/** What is to be seen of a process. */
export interface Tracing {
  /** Numbers of the system calls that are handed out at their entry. */
  readonly calls: ReadonlySet<number>;
  /** Processes that it makes are traced too. */
  readonly children: boolean;
}

export interface ThreadWatcher {
  came(tid: number): void;
  /** It has ended. */
  left(tid: number): void;
  /** The process runs another program, in one thread. */
  executed(): void;
}

/** How a system call ends that a signal or a stop has broken off, and that the kernel would make again (include/linux/errno.h). */
const ERESTARTSYS = 512n;

const { TRACESYSGOOD, TRACEEXEC, TRACECLONE, TRACEFORK, TRACEVFORK } = ptrace.options;

export function tracingOptions({ children }: Tracing): number {
  return TRACESYSGOOD | TRACEEXEC | TRACECLONE | (children ? TRACEFORK | TRACEVFORK : 0);
}

/** How long a stop may go unseen while system calls are traced, and for how long after the last one. */
const unseenNs = 40_000;
const busyMs = 50;

/** How long a thread that has not reported itself is waited for before it is looked for again, ms. */
const lookEveryMs = 5;

export class TracedProcess {
  readonly pid: number;
  mode: TracingMode = 'syscalls';
  #watcher: ThreadWatcher | null = null;
  readonly #tracing: Tracing;
  /** Thread to process. */
  readonly #threads: Map<number, number>;
  readonly #leaving: Set<number> = new Set();
  /** That we have let go. */
  readonly #left: Set<number> = new Set();
  readonly #alone = new GoingAlone();
  #lastStopMs = 0;

  /** `tids` stand at a stop and have the options of this tracing. */
  constructor(pid: number, tids: readonly number[], tracing: Tracing) {
    this.pid = pid;
    this.#tracing = tracing;
    this.#threads = new Map(tids.map((tid) => [tid, pid]));
  }

  /** Tells of each thread of the process itself that is there, at a stop or not, and of each that comes. */
  eachThread(watcher: ThreadWatcher): void {
    this.#watcher = watcher;
    for (const [tid, pid] of this.#threads) if (pid === this.pid) watcher.came(tid);
  }

  /** Lets all threads go that the tracing begins with. */
  start(): void {
    for (const tid of this.#threads.keys()) this.go(tid);
  }

  /**
   * From the stop that it stands at this thread goes on alone: the others of its process stand at their next stop until it waits for something,
   * ends, makes a call that was asked for or is one of `until`, or has used 20 ms of a CPU; and for a second at most.
   */
  goAlone(thread: AloneThread): void {
    this.#endAlone();
    this.#alone.begin(thread);
  }

  get goesAlone(): boolean {
    return this.#alone.isOn;
  }

  #endAlone(): void {
    for (const [tid, signal] of this.#alone.end()) this.go(tid, signal);
  }

  /** Lets a thread go on after a stop that was handed out; `signal` is delivered first, 0 for none. */
  go(tid: number, signal = 0): void {
    if (this.#alone.keeps(tid, this.#threads.get(tid), signal)) return;
    // A thread that is gone reports its end at the next wait.
    if (this.mode === 'syscalls') ptrace.resumeToSyscall(tid, signal);
    else ptrace.resume(tid, signal);
  }

  /** Lets a thread go that is about to end: from now on it counts as gone. */
  goToItsEnd(tid: number): void {
    this.#leaving.add(tid);
    this.go(tid);
  }

  isLeaving(tid: number): boolean {
    return this.#leaving.has(tid);
  }

  /** Until the deadline (performance.now() ms) at most. */
  next(deadlineMs: number): ProcessStop {
    for (;;) {
      const busy = this.mode === 'syscalls' && performance.now() - this.#lastStopMs < busyMs;
      const stop = waitForAny(this.#alone.waitUntil(deadlineMs), busy ? unseenNs : undefined);
      if (this.#alone.isOver()) this.#endAlone();
      if (stop === 'timeout') {
        if (performance.now() > deadlineMs) return { kind: 'timeout' };
        continue;
      }
      this.#lastStopMs = performance.now();
      if (stop === 'gone') return { kind: 'ended', exitCode: null, signal: null };
      const found = this.#answer(stop);
      if (found !== undefined) return found;
      // A busy program gives no pause in which a wait would run out.
      if (performance.now() > deadlineMs) return { kind: 'timeout' };
    }
  }

  #answer(stop: Stop): ProcessStop | undefined {
    const { tid } = stop;
    const pid = this.#threads.get(tid) ?? this.#admit(stop);
    if (pid === undefined) return undefined;
    switch (stop.kind) {
      case 'syscall': {
        const { call, result } = ptrace.syscallStop(tid);
        if (call !== null && this.#alone.isFarEnough(tid, call.number)) this.#endAlone();
        if (call !== null && this.#tracing.calls.has(call.number)) {
          // The process may be held for it, and a hold knows no threads that have reported their stop already.
          this.#endAlone();
          return { kind: 'entry', pid, tid, call };
        }
        // At its exit: woken for a signal that another thread has taken meanwhile.
        if (result === -EINTR) cure(tid);
        break;
      }
      case 'signal':
        // An untraced program does not even wake up for one that it ignores, such as SIGCHLD.
        cure(tid);
        return { kind: 'signal', pid, tid, signal: stop.signal, info: ptrace.getSignalInfo(tid) };
      case 'stop':
        if (!isStopSignal(stop.signal)) break;
        ptrace.listen(tid);
        return undefined;
      case 'exec':
        // The kernel has ended its other threads; the one that made the call goes by the process id.
        this.#forget(pid);
        this.#threads.set(tid, pid);
        if (pid === this.pid) this.#watcher?.executed();
        break;
      case 'clone':
        break;
      case 'exited':
      case 'killed':
        this.#threads.delete(tid);
        this.#leaving.delete(tid);
        if (this.#alone.ended(tid)) this.#endAlone();
        this.#watcher?.left(tid);
        if (tid !== this.pid) return undefined;
        return stop.kind === 'exited'
          ? { kind: 'ended', exitCode: stop.code, signal: null }
          : { kind: 'ended', exitCode: null, signal: stop.signal };
    }
    this.go(tid);
    return undefined;
  }

  /** The process of a new thread; undefined: nothing to be traced (a process made by a plain clone, a helper of ours). */
  #admit({ kind, tid }: Stop): number | undefined {
    if (kind === 'exited' || kind === 'killed') return tid === this.pid ? this.pid : undefined;
    const pid = existsSync(`/proc/${this.pid}/task/${tid}`) ? this.pid : processOf(tid);
    if (pid !== undefined && (pid === this.pid || this.#tracing.children)) {
      this.#threads.set(tid, pid);
      if (pid === this.pid) this.#watcher?.came(tid);
      return pid;
    }
    ptrace.detach(tid, 0);
    return undefined;
  }

  #forget(pid: number): void {
    for (const [tid, process] of this.#threads) if (process === pid) this.#threads.delete(tid);
    this.#alone.executed(pid);
  }

  /** Brings a thread to a stop, where it can be made to do something else; StopTimeout when none can be. `passesSignals`: it goes on after that. */
  stopOne(deadlineMs: number, { passesSignals = false }: { readonly passesSignals?: boolean } = {}): number {
    this.#endAlone();
    const own = [...this.#threads].filter(([, pid]) => pid === this.pid).map(([tid]) => tid);
    const tid = own.find((thread) => !'DZX'.includes(threadState(this.pid, thread))) ?? this.pid;
    const tracee = new Tracee(tid);
    tracee.interrupt();
    for (let stop = tracee.next(deadlineMs); stop.kind !== 'stop'; stop = tracee.next(deadlineMs)) {
      // Any other stop takes the interrupt away (kernel/signal.c, ptrace_stop): a call that it broke off stops at its exit first.
      tracee.interrupt();
      tracee.resume(passesSignals && stop.kind === 'signal' ? stop.signal : 0);
    }
    return tid;
  }

  /**
   * A thread that waits in a system call, or is about to, has this answer (-errno) of it, if it is a call that is meant. One that comes out
   * of it keeps its own; one that ends, or does not stop in time, is left to its next stop.
   */
  breakOff(
    tid: number,
    { answer, isMeant, deadlineMs }: { answer: number; isMeant: (call: Registers) => boolean; deadlineMs: number },
  ): void {
    for (;;) {
      if (ptrace.interrupt(tid) < 0) return;
      const stop = waitFor(tid, deadlineMs);
      if (!isLive(stop)) return;
      const registers = new Registers();
      const isBrokenOff =
        ptrace.getRegisters(tid, registers.bytes) >= 0 && registers.result === -ERESTARTSYS && isMeant(registers);
      if (isBrokenOff) {
        registers.result = BigInt(answer);
        ptrace.setRegisters(tid, registers.bytes);
      }
      // At its entry it has not waited yet, and the stop has taken the interrupt away.
      const isEntry = stop.kind === 'syscall' && ptrace.syscallStop(tid).call !== null;
      this.go(tid, stop.kind === 'signal' ? stop.signal : 0);
      if (isBrokenOff || !isEntry) return;
    }
  }

  /**
   * All threads but one are let go: those of the process itself into the group-stop that they are in, where an execve ends them without
   * our help; its children run on. One that has not reported itself yet (a new one) is held all the same, and the execve would wait for it.
   */
  leaveAllBut(tid: number, deadlineMs: number): void {
    // Those that were kept stand at a stop, where the others will be.
    this.#alone.end();
    for (const other of threadsOf(this.pid)) {
      if (other === tid) continue;
      putOffCall(other);
      if (!this.#detach(other, 0) && isLive(waitFor(other, deadlineMs))) this.#detach(other, 0);
    }
    this.#threads.delete(tid);
    this.#releaseAll(deadlineMs, tid);
  }

  /**
   * Lets all threads go, wherever they are. `waiting`: a thread whose stop was handed out, with the signal it is still to get.
   * A thread that cannot be stopped (vfork, state D) is let go by the end of this engine.
   */
  release(deadlineMs: number, waiting?: { readonly tid: number; readonly signal: number }): void {
    if (waiting !== undefined) this.#detach(waiting.tid, waiting.signal);
    this.#endAlone();
    this.#releaseAll(deadlineMs);
  }

  #releaseAll(deadlineMs: number, but?: number): void {
    for (const tid of this.#threads.keys()) ptrace.interrupt(tid);
    while (performance.now() < deadlineMs && (this.#someLive() || this.#holdsAny(but))) {
      const stop = waitForAny(Math.min(deadlineMs, performance.now() + lookEveryMs));
      if (stop === 'gone') return;
      if (stop !== 'timeout' && stop.tid !== but) this.#leave(stop);
    }
  }

  /** A main thread that has left before the others stays a zombie, and reports nothing until they have ended. */
  #someLive(): boolean {
    for (const [tid, pid] of this.#threads) if (!'ZX'.includes(threadState(pid, tid))) return true;
    return false;
  }

  /** A thread that was born traced and has not reported itself yet. */
  #holdsAny(but: number | undefined): boolean {
    return threadsOf(this.pid).some((tid) => tid !== but && !this.#left.has(tid) && isTraced(this.pid, tid));
  }

  #leave(stop: Stop): void {
    const { tid } = stop;
    switch (stop.kind) {
      case 'exited':
      case 'killed':
        this.#threads.delete(tid);
        return;
      case 'signal':
        cure(tid);
        this.#detach(tid, stop.signal);
        return;
      case 'stop':
        cure(tid);
        this.#detach(tid, 0);
        return;
      case 'exec':
        this.#forget(this.#threads.get(tid) ?? this.pid);
        this.#threads.set(tid, tid);
        break;
      case 'clone': {
        const child = ptrace.eventMessage(tid);
        const pid = processOf(child);
        if (pid !== undefined && isTraced(pid, child)) this.#threads.set(child, pid);
        break;
      }
      case 'syscall':
    }
    // Not yet the stop that was asked for: interrupted calls are cured there and nowhere else.
    ptrace.interrupt(tid);
    ptrace.resume(tid, 0);
  }

  #detach(tid: number, signal: number): boolean {
    const isGone = ptrace.detach(tid, signal) >= 0;
    if (isGone) this.#left.add(tid);
    this.#threads.delete(tid);
    return isGone;
  }
}

/** One that is gone reports its end at the next wait. */
function cure(tid: number): void {
  const registers = new Registers();
  if (ptrace.getRegisters(tid, registers.bytes) < 0 || !cureInterruptedCall(registers)) return;
  ptrace.setRegisters(tid, registers.bytes);
}

/** Not of a zombie: a main thread that has left is traced until the last one leaves. */
function isTraced(pid: number, tid: number): boolean {
  const status = readText(`/proc/${pid}/task/${tid}/status`);
  if (status.kind !== 'read' || /^State:\t[ZX]/m.test(status.content)) return false;
  return statusField(status.content, 'TracerPid') !== '0';
}

/** A thread at the entry of a system call would make it before it stops; and that may be exit_group. */
function putOffCall(tid: number): void {
  const { call } = ptrace.syscallStop(tid);
  if (call === null) return;
  const tracee = new Tracee(tid);
  const registers = tracee.registers();
  registers.rewindCall(call.number);
  tracee.setRegisters(registers);
}

function isLive(stop: ReturnType<typeof waitFor>): stop is Stop {
  return typeof stop !== 'string' && stop.kind !== 'exited' && stop.kind !== 'killed';
}
