// Native memory for the arguments of system calls: one arena for what lives as long as the engine, and mappings for what is large.
import { arch } from '../arch/arch.ts';
import { syscall, viewMemory, type NativeMemory } from './syscall.ts';

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const arenaSizeBytes = 256 * 1024;

let arena: NativeMemory | undefined;
let used = 0;

/** A piece of the arena, zeroed, aligned to 16 bytes. It is never given back: ask once, at start. */
export function allocate(sizeBytes: number): NativeMemory {
  arena ??= mapMemory(arenaSizeBytes);
  const start = used;
  used += Math.ceil(sizeBytes / 16) * 16;
  if (used > arenaSizeBytes) throw new Error(`the native arena of ${arenaSizeBytes} bytes is used up`);
  return {
    address: arena.address + BigInt(start),
    bytes: arena.bytes.subarray(start, start + sizeBytes),
    view: new DataView(arena.view.buffer, arena.view.byteOffset + start, sizeBytes),
  };
}

/** A mapping of its own, zeroed; for what may be megabytes. It lives as long as the engine. */
export function mapMemory(sizeBytes: number): NativeMemory {
  const address = syscall(arch.syscalls.mmap, 0, sizeBytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (address < 0) throw new Error(`mmap of ${sizeBytes} bytes failed with errno ${-address}`);
  return viewMemory(BigInt(address), sizeBytes);
}
