// Where a running program calls exit_group, for breakpoints: in its C library, and in the code of its own executable (static programs, and
// Go, which never ends through libc). Read from its memory: the files may be gone.
import { findExitCode } from '../elf/exit-code.ts';
import { AT_ENTRY } from '../procfs/auxv.ts';
import { mappingAt, parseMaps, type Mapping } from '../procfs/maps.ts';
import { readText } from '../procfs/read.ts';
import { readAuxv } from '../tracer/auxv.ts';
import { mostBreakpoints } from '../tracer/breakpoints.ts';
import { libraryFunction, memoryOf } from './c-library.ts';

// A large program (node) has 60 MiB of code, read in 30 ms.
const searchLimitBytes = 128 * 1024 * 1024;
const chunkSizeBytes = 1024 * 1024;
const overlapBytes = 128;

/** Four at most; empty: not known, its end by exit_group cannot be caught like this. The program may run. */
export function exitAddresses(tid: number): readonly bigint[] {
  const maps = readText(`/proc/${tid}/maps`);
  if (maps.kind !== 'read') return [];
  const mappings = parseMaps(maps.content);
  const entry = entryOf(tid);
  const own = entry === undefined ? undefined : mappingAt(mappings, entry);
  const addresses = [
    ...libraryAddresses(tid, mappings),
    ...(own === undefined ? [] : codeAddresses(tid, mappings, own)),
  ];
  return [...new Set(addresses)].slice(0, mostBreakpoints);
}

function entryOf(tid: number): bigint | undefined {
  try {
    return readAuxv(tid).get(AT_ENTRY);
  } catch {
    // It has ended.
    return undefined;
  }
}

function libraryAddresses(tid: number, mappings: readonly Mapping[]): readonly bigint[] {
  // musl's exit() calls _Exit without its _exit; in glibc both are one.
  return [libraryFunction(tid, mappings, ['_Exit', '_exit'])].flatMap((address) => address ?? []);
}

/** In all code of the file that the mapping is of. */
function codeAddresses(tid: number, mappings: readonly Mapping[], { inode, device }: Mapping): readonly bigint[] {
  const read = memoryOf(tid);
  const code = mappings.filter((one) => one.inode === inode && one.device === device && one.perms.execute);
  const found: bigint[] = [];
  let leftBytes = searchLimitBytes;
  for (const { start, end } of code) {
    for (let at = start; at < end && leftBytes > 0; at += BigInt(chunkSizeBytes)) {
      const sizeBytes = Math.min(chunkSizeBytes + overlapBytes, Number(end - at));
      const bytes = read(at, sizeBytes);
      leftBytes -= sizeBytes;
      if (bytes !== undefined) found.push(...findExitCode(bytes).map((offset) => at + BigInt(offset)));
    }
  }
  return found;
}
