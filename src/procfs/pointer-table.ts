// The table at the top of a fresh stack: argc, argv pointers, NULL, envp pointers, NULL, auxiliary vector
// (create_elf_tables in fs/binfmt_elf.c). 64-bit little-endian processes only.

/** Reads memory of the process. Gives fewer bytes, or none, where it ends. */
export type ReadMemory = (address: bigint, sizeBytes: number) => Buffer;

export interface PointerTable {
  readonly kind: 'table';
  /** As many as argc says. 0 where the process has put NULL. */
  readonly argv: readonly bigint[];
  /** As many as the kernel put there, whatever unsetenv(3) and setenv(3) have made of them since. */
  readonly envp: readonly bigint[];
}

export interface NoPointerTable {
  readonly kind: 'unreadable';
  readonly why: string;
}

const WORD_BYTES = 8;
const CHUNK_BYTES = 4096;
const MAX_POINTERS = 2 ** 20;
/** Types of auxiliary values are small, pointers are not: nothing is mapped below. */
const LOWEST_POINTER = 4096n;

export function readPointerTable(startStack: bigint, read: ReadMemory): PointerTable | NoPointerTable {
  if (startStack === 0n) return unreadable('the kernel does not say where the stack of the process began');
  const words = wordsFrom(startStack, read);
  const argc = words.next().value;
  if (argc === undefined) return unreadable(`the stack cannot be read at ${hex(startStack)}`);
  if (argc > MAX_POINTERS) return unreadable(`there is no argument count at ${hex(startStack)}, but ${argc}`);
  const argv = take(words, Number(argc));
  if (argv.length < argc || words.next().value !== 0n) return unreadable('no NULL follows the argument pointers');
  const envp = takeEnvironment(words);
  if (envp === undefined) return unreadable('no auxiliary vector follows the environment pointers');
  return { kind: 'table', argv, envp };
}

/**
 * unsetenv(3) closes the hole by moving the pointers behind it down, and leaves NULLs at the end. So it is not the first
 * NULL that ends the table, but the first type of the auxiliary vector; the NULL before it was there from the start.
 */
function takeEnvironment(words: Generator<bigint, undefined>): readonly bigint[] | undefined {
  const slots: bigint[] = [];
  while (slots.length <= MAX_POINTERS) {
    const word = words.next().value;
    if (word === undefined) return undefined;
    if (word !== 0n && word < LOWEST_POINTER) return slots.pop() === 0n ? slots : undefined;
    slots.push(word);
  }
  return undefined;
}

function take(words: Generator<bigint, undefined>, count: number): readonly bigint[] {
  const taken: bigint[] = [];
  while (taken.length < count) {
    const word = words.next().value;
    if (word === undefined) break;
    taken.push(word);
  }
  return taken;
}

function* wordsFrom(start: bigint, read: ReadMemory): Generator<bigint, undefined> {
  let address = start;
  for (;;) {
    // Up to the page's end at most, so that a read never reaches into a page that is not there.
    const sizeBytes = CHUNK_BYTES - Number(address % BigInt(CHUNK_BYTES));
    const chunk = read(address, sizeBytes);
    for (let offset = 0; offset + WORD_BYTES <= chunk.length; offset += WORD_BYTES) {
      yield chunk.readBigUInt64LE(offset);
    }
    if (chunk.length < sizeBytes) return undefined;
    address += BigInt(sizeBytes);
  }
}

function unreadable(why: string): NoPointerTable {
  return { kind: 'unreadable', why };
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
