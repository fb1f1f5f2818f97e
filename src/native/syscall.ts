// One symbol is all hotexec takes from libc: syscall(2). Results follow the kernel's convention (-errno on failure), so that a call made
// here and a call made in a target read alike.
import { loadKoffi } from './addon.ts';

const koffi = loadKoffi();
const libcSyscall = koffi.load(null).func('long syscall(long, long, long, long, long, long, long)');

export type Argument = number | bigint;

/**
 * Makes a system call on this thread. Returns its result, or -errno.
 * Results beyond 2^53 cannot come back from the calls hotexec makes: user addresses have at most 57 bits, ours 47.
 */
export function syscall(
  number: number,
  a: Argument = 0,
  b: Argument = 0,
  c: Argument = 0,
  d: Argument = 0,
  e: Argument = 0,
  f: Argument = 0,
): number {
  const result = Number(libcSyscall(number, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/** Memory outside the JavaScript heap: it has an address that never changes. */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: Buffer;
  /** The same memory, for numbers. */
  readonly view: DataView;
}

/** Makes memory at an address visible. The caller keeps it mapped. */
export function viewMemory(address: bigint, sizeBytes: number): NativeMemory {
  const memory = koffi.view(address, sizeBytes);
  return { address, bytes: Buffer.from(memory), view: new DataView(memory) };
}
