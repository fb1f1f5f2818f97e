// The C library that a process has loaded, and where its functions lie: read from its memory, as ld.so does it; the file may be gone.
import { findDynamicSymbol, type ReadMemory } from '../elf/dynamic-symbol.ts';
import { mappingAt, type Mapping } from '../procfs/maps.ts';
import { readMemory } from '../tracer/memory.ts';

// glibc, also where it is installed by version; musl is its own ld.so.
const libraryName = /^(?:libc\.so\.6|libc-2\.\d+\.so|ld-musl-[\w-]+\.so\.1|libc\.musl-[\w-]+\.so\.1|libc\.so)$/;

/** The address of the first of these functions that it has; undefined where it has none of them, or is not there. */
export function libraryFunction(
  tid: number,
  mappings: readonly Mapping[],
  names: readonly string[],
): bigint | undefined {
  const library = mappings.find(({ path, offset }) => offset === 0n && libraryName.test(path?.split('/').at(-1) ?? ''));
  if (library === undefined) return undefined;
  const read = memoryOf(tid);
  for (const name of names) {
    const address = findDynamicSymbol(read, library.start, name);
    if (address !== undefined) return mappingAt(mappings, address)?.perms.execute === true ? address : undefined;
  }
  return undefined;
}

export function memoryOf(tid: number): ReadMemory {
  return (address, sizeBytes) => {
    const bytes = readMemory(tid, address, sizeBytes);
    return typeof bytes === 'number' ? undefined : bytes;
  };
}
