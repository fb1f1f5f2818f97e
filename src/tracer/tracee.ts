// One traced thread. It is either running or stopped, and every way from one to the other goes through here.
import { Registers } from '../arch/registers.ts';
import { ESRCH, describeErrno } from '../native/errno.ts';
import { StopTimeout, TraceeGone } from './errors.ts';
import type { HeldThread } from './held-thread.ts';
import { readMemory, writeMemory } from './memory.ts';
import * as ptrace from './ptrace/requests.ts';
import { waitFor, type Stop } from './ptrace/wait.ts';

/** A stop that is not the end of the tracee. */
export type LiveStop = Exclude<Stop, { kind: 'exited' | 'killed' }>;

export class Tracee implements HeldThread {
  /** It becomes the process id when a thread other than the leader makes an execve (ptrace(2), "execve(2) under ptrace"). */
  tid: number;
  #tidAfterExec: number;

  constructor(tid: number) {
    this.tid = tid;
    this.#tidAfterExec = tid;
  }

  /** An execve of this thread may follow; its event is reported under the process id. */
  expectExec(pid: number): void {
    this.#tidAfterExec = pid;
  }

  /** The next stop, whatever it is. Throws TraceeGone or, after the deadline (performance.now() ms), StopTimeout. */
  next(deadlineMs: number): LiveStop {
    const stop = waitFor(this.tid, deadlineMs, this.#tidAfterExec);
    if (stop === 'timeout') throw new StopTimeout(`thread ${this.tid} did not stop in time`);
    if (stop === 'gone') throw new TraceeGone(this.tid, 'is no longer traced');
    if (stop.kind === 'exited') throw new TraceeGone(this.tid, `exited with code ${stop.code}`);
    if (stop.kind === 'killed') throw new TraceeGone(this.tid, `was killed by signal ${stop.signal}`);
    this.tid = stop.tid;
    return stop;
  }

  interrupt(): void {
    this.#check('PTRACE_INTERRUPT', ptrace.interrupt(this.tid));
  }

  resume(signal = 0): void {
    this.#check('PTRACE_CONT', ptrace.resume(this.tid, signal));
  }

  resumeToSyscall(signal = 0): void {
    this.#check('PTRACE_SYSCALL', ptrace.resumeToSyscall(this.tid, signal));
  }

  setOptions(options: number): void {
    this.#check('PTRACE_SETOPTIONS', ptrace.setOptions(this.tid, options));
  }

  /** Lets the thread go; from a stop only. */
  detach(): void {
    this.#check('PTRACE_DETACH', ptrace.detach(this.tid, 0));
  }

  registers(): Registers {
    const registers = new Registers();
    this.#check('PTRACE_GETREGS', ptrace.getRegisters(this.tid, registers.bytes));
    return registers;
  }

  setRegisters(registers: Registers): void {
    this.#check('PTRACE_SETREGS', ptrace.setRegisters(this.tid, registers.bytes));
  }

  read(address: bigint, sizeBytes: number): Buffer | number {
    return readMemory(this.tid, address, sizeBytes);
  }

  write(address: bigint, bytes: Buffer): number {
    return writeMemory(this.tid, address, bytes);
  }

  signalMask(): bigint {
    return ptrace.getSignalMask(this.tid);
  }

  setSignalMask(mask: bigint): void {
    this.#check('PTRACE_SETSIGMASK', ptrace.setSignalMask(this.tid, mask));
  }

  #check(request: string, result: number): void {
    if (result >= 0) return;
    if (result === -ESRCH) throw new TraceeGone(this.tid, `ended (${request})`);
    throw new Error(`${request} on thread ${this.tid}: ${describeErrno(result)}`);
  }
}
