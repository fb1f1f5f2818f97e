// What a process was started with, and whether its memory still holds it: nginx, postgres, redis and sshd write their
// titles over arguments and environment. /proc/PID/cmdline cannot tell; the pointers the kernel left on the stack can.
import { readPointerTable, type ReadMemory } from './pointer-table.ts';
import { isAssignment, splitWords, type Words } from './words.ts';

export interface InitialStackInput {
  /** From /proc/PID/stat, fields 28 and 48 to 51. 0 without ptrace access. */
  readonly startStack: bigint;
  readonly argStart: bigint;
  readonly argEnd: bigint;
  readonly envStart: bigint;
  readonly envEnd: bigint;
  readonly read: ReadMemory;
}

export interface InitialStack {
  readonly argv: Words;
  readonly environ: Words;
}

/** One run of strings and the pointers that the kernel, or the process since, put on the stack for it. */
interface Block {
  readonly start: bigint;
  readonly bytes: Buffer;
  readonly pointers: readonly bigint[];
}

/** More than the kernel allows (MAX_ARG_STRLEN, and 6 MiB in all on a usual stack limit). */
const MAX_BYTES = 32n * 1024n * 1024n;

/**
 * Reads argv and environ as they were given to execve. `overwritten` never means that they are empty, but that they
 * must be taken from elsewhere. Throws only what `read` throws.
 */
export function readInitialStack(input: InitialStackInput): InitialStack {
  const table = readPointerTable(input.startStack, input.read);
  if (table.kind === 'unreadable') return { argv: overwritten(table.why), environ: overwritten(table.why) };
  return {
    argv: judge(readBlock(input.argStart, input.argEnd, input.read), table.argv, judgeArguments),
    environ: judge(readBlock(input.envStart, input.envEnd, input.read), table.envp, judgeEnvironment),
  };
}

function readBlock(start: bigint, end: bigint, read: ReadMemory): Omit<Block, 'pointers'> | string {
  if (start === 0n || end < start) return `the kernel does not say where they are (${hex(start)} to ${hex(end)})`;
  if (end - start > MAX_BYTES) return `the kernel says they have ${end - start} bytes, which cannot be`;
  const sizeBytes = Number(end - start);
  const bytes = sizeBytes === 0 ? Buffer.alloc(0) : read(start, sizeBytes);
  if (bytes.length !== sizeBytes) return `only ${bytes.length} of ${sizeBytes} bytes at ${hex(start)} can be read`;
  return { start, bytes };
}

function judge(
  block: Omit<Block, 'pointers'> | string,
  pointers: readonly bigint[],
  objectTo: (block: Block, words: readonly Buffer[]) => string | undefined,
): Words {
  if (typeof block === 'string') return overwritten(block);
  const words = splitWords(block.bytes);
  if (words === undefined) return overwritten('the NUL behind the last word is gone');
  if (words.length !== pointers.length) {
    return overwritten(`the process began with ${pointers.length} words, and ${words.length} are there now`);
  }
  const objection = objectTo({ ...block, pointers }, words);
  return objection === undefined ? { kind: 'intact', words } : overwritten(objection);
}

/**
 * Every word must still have its pointer. The order does not matter: getopt(3) sorts the pointers, and the strings
 * stay where they were. Titles set the other pointers to NULL, or their words begin elsewhere than the pointers say.
 */
function judgeArguments({ start, pointers }: Block, words: readonly Buffer[]): string | undefined {
  const sorted = pointers.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  const starts = wordStarts(start, words);
  const moved = starts.findIndex((wordStart, index) => sorted[index] !== wordStart);
  return moved === -1 ? undefined : `no pointer on the stack leads to word ${moved}, at ${hex(starts[moved] ?? 0n)}`;
}

/**
 * setenv(3) and unsetenv(3) of the process change the pointers, so a word without one is no sign, provided it is
 * NAME=value. A pointer into the middle of a word is: the word has been written over it.
 */
function judgeEnvironment({ start, bytes, pointers }: Block, words: readonly Buffer[]): string | undefined {
  const starts = wordStarts(start, words);
  const known = new Set(starts);
  const end = start + BigInt(bytes.length);
  const inside = pointers.filter((pointer) => start <= pointer && pointer < end);
  const stray = inside.find((pointer) => !known.has(pointer));
  if (stray !== undefined) return `no entry begins at ${hex(stray)}, where the stack says one does`;
  const kept = new Set(inside);
  const odd = words.findIndex((word, index) => !isAssignment(word) && !kept.has(starts[index] ?? 0n));
  return odd === -1 ? undefined : `entry ${odd} is not NAME=value, and no pointer on the stack leads to it`;
}

function wordStarts(start: bigint, words: readonly Buffer[]): readonly bigint[] {
  let next = start;
  return words.map((word) => {
    const wordStart = next;
    next += BigInt(word.length + 1);
    return wordStart;
  });
}

function overwritten(why: string): Words {
  return { kind: 'overwritten', why };
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
