// A system call that is not made, and answered with 0 all the same.
import { arch } from '../../arch/arch.ts';
import { Tracee } from '../../tracer/tracee.ts';

/**
 * At the entry of the call: another is made in its place that does nothing, takes no argument and answers 0. No call at all (-1) would
 * not do: seccomp looks at the number after the tracer has (kernel/entry, syscall_trace_enter), and the filter of a container runtime answers
 * -1 with ENOSYS.
 */
export function answerZero(tid: number): void {
  const tracee = new Tracee(tid);
  const registers = tracee.registers();
  registers.originalNumber = BigInt(arch.syscalls.sched_yield);
  tracee.setRegisters(registers);
}
