// A system call that is not made, and answered all the same.
import { Tracee } from '../../tracer/tracee.ts';

/** At the entry of the call: the kernel skips it and leaves the result alone (arch/x86/entry/common.c, do_syscall_64). */
export function answerCall(tid: number, result: bigint): void {
  const tracee = new Tracee(tid);
  const registers = tracee.registers();
  registers.originalNumber = -1n;
  registers.result = result;
  tracee.setRegisters(registers);
}
