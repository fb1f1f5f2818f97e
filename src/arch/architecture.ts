// What differs between CPUs, as data: a port is one table like x64.ts.

export interface Architecture<Name extends string> {
  readonly name: string;
  /** e_machine of its ELF files. */
  readonly elfMachine: number;
  readonly syscalls: Readonly<Record<Name, number>>;
  /** The bytes of the instruction that enters the kernel. */
  readonly syscallInstruction: Uint8Array;
  /** Machine code of `long (long number, long a, long b, long c, long d, long e, long f)`, in the C calling convention: that system call, and its result. */
  readonly syscallFunction: Uint8Array;
  /** The same of `void (long rows[][8], long count)`: a row is a number, six arguments, and the place of the result. */
  readonly syscallsFunction: Uint8Array;
  /** Byte offsets in the register set of PTRACE_GETREGS; each register has 8 bytes. */
  readonly registers: {
    readonly sizeBytes: number;
    readonly instructionPointer: number;
    readonly stackPointer: number;
    /** The number at entry, the result at exit. */
    readonly result: number;
    /** The number of the system call that was interrupted; -1 outside of one. */
    readonly originalNumber: number;
    readonly arguments: readonly [number, number, number, number, number, number];
    /** What gdb calls them, in their order in the set. */
    readonly names: readonly string[];
  };
  /** Calls that answer EINTR after a stop although no handler ran (signal(7), "Interruption of system calls by stop signals"). */
  readonly interruptedByStop: ReadonlySet<number>;
}
