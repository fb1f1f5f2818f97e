// A system call that is not made, and answered as if it had been.
import { arch } from '../../arch/arch.ts';
import type { Registers } from '../../arch/registers.ts';
import { Tracee } from '../../tracer/tracee.ts';

/**
 * At the entry of the call: another is made in its place that does nothing, takes no argument and answers 0. No call at all (-1) would
 * not do: seccomp looks at the number after the tracer has (kernel/entry, syscall_trace_enter), and the filter of a container runtime answers
 * -1 with ENOSYS.
 */
export function answerZero(tid: number): void {
  insteadOf(tid, (registers) => {
    registers.originalNumber = BigInt(arch.syscalls.sched_yield);
  });
}

/** The same of a dup2 or dup3: it answers the new descriptor, which stays what it is (dup2(2), of two equal numbers). */
export function answerSame(tid: number, fd: bigint): void {
  insteadOf(tid, (registers) => {
    registers.originalNumber = BigInt(arch.syscalls.dup2);
    registers.setArgument(0, fd);
  });
}

function insteadOf(tid: number, change: (registers: Registers) => void): void {
  const tracee = new Tracee(tid);
  const registers = tracee.registers();
  change(registers);
  tracee.setRegisters(registers);
}
