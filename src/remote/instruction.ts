// Where a target has a syscall instruction of its own: in its vDSO, else in any code that it has mapped.
import { readFileSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { AT_SYSINFO_EHDR } from '../procfs/auxv.ts';
import { parseMaps } from '../procfs/maps.ts';
import { readAuxv } from '../tracer/auxv.ts';
import { readMemory } from '../tracer/memory.ts';

const pageSizeBytes = 4096;
const chunkSizeBytes = 256 * 1024;
const searchLimitBytes = 64 * 1024 * 1024;

// The kernel gives every process the same vDSO image, so one search serves the old program and the new one.
let offsetInVdso: bigint | undefined;

/** Its address; undefined when no mapped code has one. `tid` is a living thread of the target. */
export function findSyscallInstruction(tid: number): bigint | undefined {
  const vdso = readAuxv(tid).get(AT_SYSINFO_EHDR);
  if (vdso !== undefined && offsetInVdso !== undefined && isInstruction(tid, vdso + offsetInVdso))
    return vdso + offsetInVdso;
  const executable = parseMaps(readFileSync(`/proc/${tid}/maps`, 'latin1')).filter(
    (mapping) => mapping.perms.execute && mapping.perms.read,
  );
  // Programs may unmap their vDSO, and the auxiliary vector then still names it: the map tells.
  const own = executable.find((mapping) => mapping.start === vdso || mapping.path === '[vdso]');
  if (own !== undefined) {
    const found = search(tid, own.start, own.end);
    if (found !== undefined && own.start === vdso) offsetInVdso = found - own.start;
    if (found !== undefined) return found;
  }
  let budget = searchLimitBytes;
  for (const mapping of executable) {
    if (budget <= 0) return undefined;
    if (mapping.path === '[vsyscall]') continue;
    budget -= Number(mapping.end - mapping.start);
    const found = search(tid, mapping.start, mapping.end);
    if (found !== undefined) return found;
  }
  return undefined;
}

function search(tid: number, start: bigint, end: bigint): bigint | undefined {
  for (let at = start; at < end; at += BigInt(chunkSizeBytes)) {
    const sizeBytes = Math.min(chunkSizeBytes, Number(end - at));
    const bytes = readMemory(tid, at, Math.ceil(sizeBytes / pageSizeBytes) * pageSizeBytes);
    if (typeof bytes === 'number') return undefined;
    const offset = bytes.indexOf(arch.syscallInstruction);
    if (offset >= 0) return at + BigInt(offset);
  }
  return undefined;
}

function isInstruction(tid: number, address: bigint): boolean {
  const bytes = readMemory(tid, address, arch.syscallInstruction.length);
  return typeof bytes !== 'number' && bytes.equals(arch.syscallInstruction);
}
