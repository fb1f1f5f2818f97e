// Catches the exit of a program that is watched for long, without tracing its system calls: each thread gets breakpoints where the program
// calls exit_group. They cost about 1 us a context switch; a traced system call costs ten times that.
// Not caught: an exit_group made elsewhere (syscall(2) of libc, code made at run time), by a thread that blocks SIGURG or that no
// breakpoint was set for, and a program whose threads end one by one.
import { Registers } from '../arch/registers.ts';
import { arch } from '../arch/arch.ts';
import { Breakpoints, breakpointSignal } from '../tracer/breakpoints.ts';
import { getRegisters } from '../tracer/ptrace/requests.ts';
import { exitAddresses } from './exit-addresses.ts';

export { breakpointSignal };

export class ExitBreakpoints implements Disposable {
  readonly #breakpoints: Breakpoints;

  constructor(addresses: readonly bigint[]) {
    this.#breakpoints = new Breakpoints(addresses);
  }

  /** For every thread, and for each new one at its first stop. 0, or -errno: the exit of this thread will not be caught. */
  cover(tid: number): number {
    return this.#breakpoints.set(tid);
  }

  /** The thread has ended. */
  forget(tid: number): void {
    this.#breakpoints.clear(tid);
  }

  /**
   * At a signal-delivery-stop of `breakpointSignal`: the exit code that the program is about to end with, and nothing of its end has
   * happened yet; drop the signal. null: the signal is the program's own, pass it on.
   */
  exitCode(tid: number): number | null {
    if (this.#breakpoints.hit(tid) === null) return null;
    const registers = new Registers();
    if (getRegisters(tid, registers.bytes) < 0) return null;
    return registers.bytes[arch.registers.arguments[0]] ?? null;
  }

  [Symbol.dispose](): void {
    this.#breakpoints[Symbol.dispose]();
  }
}

/** null: where this program calls exit_group is not known. Ask again after every execve. */
export function findExit(tid: number): ExitBreakpoints | null {
  const addresses = exitAddresses(tid);
  return addresses.length === 0 ? null : new ExitBreakpoints(addresses);
}
