// Builds the memory that execve leaves on top of the stack, as create_elf_tables (fs/binfmt_elf.c) lays it out.
import type { InitialStackInput } from '../../../src/procfs/arguments.ts';

export interface StackImage {
  readonly input: InitialStackInput;
  /** Where each string begins. */
  readonly argv: readonly bigint[];
  readonly envp: readonly bigint[];
  /** Overwrites memory, as the process may do later. */
  readonly writeBytes: (address: bigint, bytes: Buffer | string) => void;
  /** Overwrites pointer number `index` of argv or envp. */
  readonly writePointer: (table: 'argv' | 'envp', index: number, pointer: bigint) => void;
}

const START_STACK = 0x7ffd_1234_0ff0n;

export function stackImage(argv: readonly (string | Buffer)[], envp: readonly (string | Buffer)[]): StackImage {
  const words = [...argv, ...envp].map((word) => Buffer.concat([Buffer.from(word), Buffer.from([0])]));
  const auxv = [33n, 0x7ffd_9999_9000n, 6n, 4096n, 0n, 0n];
  const tableWords = 1 + argv.length + 1 + envp.length + 1 + auxv.length;
  const argStart = START_STACK + BigInt(tableWords * 8 + 23);
  const starts: bigint[] = [];
  let next = argStart;
  for (const word of words) {
    starts.push(next);
    next += BigInt(word.length);
  }
  const pointers = { argv: starts.slice(0, argv.length), envp: starts.slice(argv.length) };
  const table = [BigInt(argv.length), ...pointers.argv, 0n, ...pointers.envp, 0n, ...auxv];
  const memory = Buffer.alloc(Number(next - START_STACK) + 16);
  const offset = (address: bigint): number => Number(address - START_STACK);
  table.forEach((word, index) => memory.writeBigUInt64LE(word, index * 8));
  Buffer.concat(words).copy(memory, offset(argStart));
  const envStart = starts[argv.length] ?? next;
  return {
    ...pointers,
    input: {
      startStack: START_STACK,
      argStart,
      argEnd: envStart,
      envStart,
      envEnd: next,
      read: (address, sizeBytes) =>
        address < START_STACK
          ? Buffer.alloc(0)
          : Buffer.from(memory.subarray(offset(address), offset(address) + sizeBytes)),
    },
    writeBytes: (address, bytes) => {
      Buffer.from(bytes).copy(memory, offset(address));
    },
    writePointer: (name, index, pointer) => {
      const first = name === 'argv' ? 1 : argv.length + 2;
      memory.writeBigUInt64LE(pointer, (first + index) * 8);
    },
  };
}
