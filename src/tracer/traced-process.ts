// A process that runs with all its threads traced: none makes a system call, gets a signal, is born or ends unseen. What only concerns
// the tracing itself is answered in here; the rest is handed out, one stop at a time, and that thread waits for `go`.
import { existsSync } from 'node:fs';
import { Registers } from '../arch/registers.ts';
import { readText } from '../procfs/read.ts';
import { statusField } from '../procfs/status.ts';
import { cureInterruptedCall } from './cure.ts';
import { threadIds, threadState } from './hold.ts';
import * as ptrace from './ptrace/requests.ts';
import { waitFor, waitForAny, type Stop } from './ptrace/wait.ts';
import { isStopSignal } from './signals.ts';
import { Tracee } from './tracee.ts';

export type ProcessStop =
  /** A thread is about to make one of the system calls that were asked for; the kernel has not begun it. */
  | { readonly kind: 'entry'; readonly tid: number; readonly call: ptrace.SyscallEntry }
  /** A thread is about to get a signal. */
  | { readonly kind: 'signal'; readonly tid: number; readonly signal: number; readonly info: ptrace.SignalInfo }
  /** The process has ended; null: by a signal. Nothing can be caught any more. */
  | { readonly kind: 'ended'; readonly exitCode: number | null; readonly signal: number | null }
  | { readonly kind: 'timeout' };

/** `syscalls`: every system call stops; `signals`: signals alone, which costs a program nothing that gets none. */
export type TracingMode = 'syscalls' | 'signals';

export const tracingOptions: number =
  ptrace.options.TRACESYSGOOD | ptrace.options.TRACEEXEC | ptrace.options.TRACECLONE;

/** How long a thread that has not reported itself is waited for before it is looked for again, ms. */
const lookEveryMs = 5;

export class TracedProcess {
  readonly pid: number;
  mode: TracingMode = 'syscalls';
  readonly #calls: ReadonlySet<number>;
  readonly #threads: Set<number>;
  readonly #leaving: Set<number> = new Set();

  /** `tid` stands at a stop and has tracingOptions; `calls` are the numbers of system calls that are handed out. */
  constructor(pid: number, tid: number, calls: ReadonlySet<number>) {
    this.pid = pid;
    this.#calls = calls;
    this.#threads = new Set([tid]);
  }

  /** The same, and its thread is let go. */
  static start(pid: number, tid: number, calls: ReadonlySet<number>): TracedProcess {
    const process = new TracedProcess(pid, tid, calls);
    process.go(tid);
    return process;
  }

  /** Lets a thread go on after a stop that was handed out; `signal` is delivered first, 0 for none. */
  go(tid: number, signal = 0): void {
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
      const stop = waitForAny(deadlineMs);
      if (stop === 'timeout') return { kind: 'timeout' };
      if (stop === 'gone') return { kind: 'ended', exitCode: null, signal: null };
      const found = this.#answer(stop);
      if (found !== undefined) return found;
    }
  }

  #answer(stop: Stop): ProcessStop | undefined {
    const { tid } = stop;
    if (!this.#threads.has(tid) && !this.#admit(stop)) return undefined;
    switch (stop.kind) {
      case 'syscall': {
        const call = ptrace.syscallEntry(tid);
        if (call !== null && this.#calls.has(call.number)) return { kind: 'entry', tid, call };
        // At its exit: woken for a signal that another thread has taken meanwhile.
        if (call === null) cure(tid);
        break;
      }
      case 'signal':
        // An untraced program does not even wake up for one that it ignores, such as SIGCHLD.
        cure(tid);
        return { kind: 'signal', tid, signal: stop.signal, info: ptrace.getSignalInfo(tid) };
      case 'stop':
        if (!isStopSignal(stop.signal)) break;
        ptrace.listen(tid);
        return undefined;
      case 'exec':
        // The kernel has ended all others; the one that made it goes by the process id.
        this.#threads.clear();
        this.#leaving.clear();
        this.#threads.add(tid);
        break;
      case 'clone':
        break;
      case 'exited':
      case 'killed':
        this.#threads.delete(tid);
        this.#leaving.delete(tid);
        if (tid !== this.pid) return undefined;
        return stop.kind === 'exited'
          ? { kind: 'ended', exitCode: stop.code, signal: null }
          : { kind: 'ended', exitCode: null, signal: stop.signal };
    }
    this.go(tid);
    return undefined;
  }

  /** A new thread. What is none (a process made by clone, a helper of ours that has ended) is let go. */
  #admit(stop: Stop): boolean {
    const { tid } = stop;
    if (stop.kind === 'exited' || stop.kind === 'killed') return tid === this.pid;
    if (existsSync(`/proc/${this.pid}/task/${tid}`)) {
      this.#threads.add(tid);
      return true;
    }
    ptrace.detach(tid, 0);
    return false;
  }

  /** Brings a thread to a stop, where it can be made to do something else; StopTimeout when none can be. */
  stopOne(deadlineMs: number): number {
    const tid = [...this.#threads].find((thread) => !'DZX'.includes(threadState(this.pid, thread))) ?? this.pid;
    const tracee = new Tracee(tid);
    tracee.interrupt();
    while (tracee.next(deadlineMs).kind !== 'stop') this.go(tid);
    return tid;
  }

  /**
   * All threads but one are let go into the group-stop of the process: an execve then ends them without our help. One that has not
   * reported itself yet (a new one) is held all the same, and the execve would wait for it.
   */
  leaveAllBut(tid: number, deadlineMs: number): void {
    for (const other of threadsOf(this.pid)) {
      if (other === tid) continue;
      putOffCall(other);
      if (ptrace.detach(other, 0) < 0 && isLive(waitFor(other, deadlineMs))) ptrace.detach(other, 0);
    }
    this.#threads.clear();
  }

  /**
   * Lets all threads go, wherever they are. `waiting`: a thread whose stop was handed out, with the signal it is still to get.
   * A thread that cannot be stopped (vfork, state D) is let go by the end of this engine.
   */
  release(deadlineMs: number, waiting?: { readonly tid: number; readonly signal: number }): void {
    if (waiting !== undefined) this.#detach(waiting.tid, waiting.signal);
    for (const tid of this.#threads) ptrace.interrupt(tid);
    while (performance.now() < deadlineMs && (this.#someLive() || this.#holdsAny())) {
      const stop = waitForAny(Math.min(deadlineMs, performance.now() + lookEveryMs));
      if (stop === 'gone') return;
      if (stop !== 'timeout') this.#leave(stop);
    }
  }

  /** A main thread that has left before the others stays a zombie, and reports nothing until they have ended. */
  #someLive(): boolean {
    if (this.#threads.size === 1 && 'ZX'.includes(threadState(this.pid, [...this.#threads][0] ?? this.pid)))
      return false;
    return this.#threads.size > 0;
  }

  /** A thread that was born traced and has not reported itself yet. */
  #holdsAny(): boolean {
    return threadsOf(this.pid).some((tid) => isTraced(this.pid, tid));
  }

  #leave(stop: Stop): void {
    const { tid } = stop;
    switch (stop.kind) {
      case 'exited':
      case 'killed':
        this.#threads.delete(tid);
        return;
      case 'signal':
        this.#detach(tid, stop.signal);
        return;
      case 'stop':
        cure(tid);
        this.#detach(tid, 0);
        return;
      case 'exec':
        this.#threads.clear();
        this.#threads.add(tid);
        break;
      case 'clone':
      case 'syscall':
    }
    // Not yet the stop that was asked for: interrupted calls are cured there and nowhere else.
    ptrace.interrupt(tid);
    ptrace.resume(tid, 0);
  }

  #detach(tid: number, signal: number): void {
    ptrace.detach(tid, signal);
    this.#threads.delete(tid);
  }
}

/** None when the process has ended. */
function threadsOf(pid: number): readonly number[] {
  try {
    return threadIds(pid);
  } catch {
    return [];
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
  const call = ptrace.syscallEntry(tid);
  if (call === null) return;
  const tracee = new Tracee(tid);
  const registers = tracee.registers();
  registers.originalNumber = -1n;
  registers.rewindCall(call.number);
  tracee.setRegisters(registers);
}

function isLive(stop: ReturnType<typeof waitFor>): boolean {
  return typeof stop !== 'string' && stop.kind !== 'exited' && stop.kind !== 'killed';
}
