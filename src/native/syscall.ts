// System calls of this thread, without libc's errno: between a call and a look at errno V8 may do work of its own, and change it (seen once:
// ENOENT for a recv that had nothing to give). All that hotexec takes from libc is syscall(2), to map the functions that replace it.
import { arch } from '../arch/arch.ts';
import { loadKoffi } from './addon.ts';

export type Argument = number | bigint;
type Call = (...words: readonly Argument[]) => number | bigint;
type CallAll = (rows: bigint, count: number) => void;

const koffi = loadKoffi();
const libcSyscall: Call = koffi.load(null).func('long syscall(long, long, long, long, long, long, long)');

/** A row: the number of a call, its six arguments, and what comes back. */
export const rowWords = 8;
export const rowBytes: number = rowWords * 8;

const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;

export interface Functions {
  readonly one: Call;
  /** The calls of so many rows at an address. */
  readonly all: CallAll;
}

/** Null where no memory may become code (SELinux execmem). */
export function mappedFunctions(): Functions | null {
  const { mmap, mprotect, munmap } = arch.syscalls;
  const { syscallFunction, syscallsFunction } = arch;
  const sizeBytes = 4096;
  const second = 64;
  const address = BigInt(libcSyscall(mmap, 0, sizeBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
  if (address < 0n) return null;
  const { bytes } = viewMemory(address, sizeBytes);
  bytes.set(syscallFunction);
  bytes.set(syscallsFunction, second);
  if (Number(libcSyscall(mprotect, address, sizeBytes, PROT_READ_EXEC, 0, 0, 0)) === 0)
    return {
      one: koffi.decode(address, prototype('long', 7)),
      all: koffi.decode(address + BigInt(second), prototype('void', 2)),
    };
  libcSyscall(munmap, address, sizeBytes, 0, 0, 0, 0);
  return null;
}

function prototype(result: string, argumentCount: number): object {
  return koffi.proto(null, result, Array<string>(argumentCount).fill('long'));
}

export function libcFunctions(): Functions {
  return { one: errnoSyscall, all: errnoSyscalls };
}

function errnoSyscall(...words: readonly Argument[]): number | bigint {
  const result = Number(libcSyscall(...words));
  return result === -1 ? -koffi.errno() : result;
}

function errnoSyscalls(rows: bigint, count: number): void {
  const words = new BigInt64Array(koffi.view(rows, count * rowBytes));
  for (let row = 0; row < words.length; row += rowWords)
    words[row + rowWords - 1] = BigInt(errnoSyscall(...words.subarray(row, row + rowWords - 1)));
}

const { one: call, all } = mappedFunctions() ?? libcFunctions();

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

/** Makes the calls of `count` rows at this address, one after the other. */
export const syscalls: CallAll = all;

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
