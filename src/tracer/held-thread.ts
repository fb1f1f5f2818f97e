// What is needed of a driver to make a process call the kernel: one stopped thread, its registers, one step, its memory. ptrace itself is
// one (tracee.ts), a gdb that is told what to do another (gdb/gdb-thread.ts).
import type { Registers } from '../arch/registers.ts';
import type { LiveStop } from './tracee.ts';

export interface HeldThread {
  readonly tid: number;
  /** An execve of this thread may follow; its event is reported under the process id. */
  expectExec(pid: number): void;
  registers(): Registers;
  setRegisters(registers: Registers): void;
  /** One step: on to the next entry or exit of a system call. */
  resumeToSyscall(): void;
  /** The next stop, whatever it is. Throws TraceeGone; after the deadline (performance.now() ms) StopTimeout or GdbEnded. */
  next(deadlineMs: number): LiveStop;
  /** Reads exactly sizeBytes; -errno (a number) when any of it cannot be read. */
  read(address: bigint, sizeBytes: number): Buffer | number;
  /** Writes all of `bytes`; 0, or -errno. */
  write(address: bigint, bytes: Buffer): number;
}
