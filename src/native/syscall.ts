// System calls of this thread, without libc's errno: between a call and a look at errno V8 may do work of its own, and change it (seen once:
// ENOENT for a recv that had nothing to give). All that hotexec takes from libc is syscall(2), to map the function that replaces it.
import { arch } from '../arch/arch.ts';
import { loadKoffi } from './addon.ts';

export type Argument = number | bigint;
type Call = (...words: readonly Argument[]) => number | bigint;

const koffi = loadKoffi();
const libcSyscall: Call = koffi.load(null).func('long syscall(long, long, long, long, long, long, long)');

const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Null where no memory may become code (SELinux execmem). */
export function kernelSyscall(): Call | null {
  const { mmap, mprotect, munmap } = arch.syscalls;
  const { syscallFunction } = arch;
  const sizeBytes = 4096;
  const address = BigInt(libcSyscall(mmap, 0, sizeBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
  if (address < 0n) return null;
  viewMemory(address, sizeBytes).bytes.set(syscallFunction);
  if (Number(libcSyscall(mprotect, address, sizeBytes, PROT_READ_EXEC, 0, 0, 0)) === 0)
    return koffi.decode(address, koffi.proto(null, 'long', Array<string>(7).fill('long')));
  libcSyscall(munmap, address, sizeBytes, 0, 0, 0, 0);
  return null;
}

export function errnoSyscall(...words: readonly Argument[]): number | bigint {
  const result = Number(libcSyscall(...words));
  return result === -1 ? -koffi.errno() : result;
}

const call = kernelSyscall() ?? errnoSyscall;

/**
 * Makes a system call on this thread. Returns its result, or -errno: as the kernel does, so that a call made here and a call made in a
 * target read alike.
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
  return Number(call(number, a, b, c, d, e, f));
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
