// The auxiliary vector of a process (getauxval(3)). /proc/PID/auxv is for its owner and for root with CAP_DAC_OVERRIDE; the same words lie
// on the initial stack, behind argv and environ, for whoever may read the memory.
import { readFileSync } from 'node:fs';
import { AT_NULL, AT_PAGESZ, parseAuxv } from '../procfs/auxv.ts';
import { isDenied } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { readMemory } from './memory.ts';

const pageSizeBytes = 4096n;
/** AT_VECTOR_SIZE_BASE and what architectures add is 22 or so; all types that are known are below 64. */
const mostTypes = 64n;
const pairBytes = 16;

/** By type. `tid`: a living thread. Throws the error of open(2) where neither can be read. */
export function readAuxv(tid: number): ReadonlyMap<number, bigint> {
  try {
    return parseAuxv(readFileSync(`/proc/${tid}/auxv`));
  } catch (error) {
    const vector = isDenied(error) ? onStack(tid) : undefined;
    if (vector === undefined) throw error;
    return parseAuxv(vector);
  }
}

/** What a program has done to its environ does not matter: the page size is looked for, and nothing above the vector looks like it. */
function onStack(tid: number): Buffer | undefined {
  const { startStack } = parseStat(readFileSync(`/proc/${tid}/stat`, 'utf8'));
  const stack = readUpwards(tid, startStack);
  for (let at = 0; at + pairBytes <= stack.length; at += 8) {
    if (stack.readBigUInt64LE(at) !== BigInt(AT_PAGESZ) || stack.readBigUInt64LE(at + 8) !== pageSizeBytes) continue;
    let start = at;
    while (start >= pairBytes && isType(stack.readBigUInt64LE(start - pairBytes))) start -= pairBytes;
    for (let end = at; end + pairBytes <= stack.length && stack.readBigUInt64LE(end) < mostTypes; end += pairBytes)
      if (stack.readBigUInt64LE(end) === BigInt(AT_NULL)) return stack.subarray(start, end + pairBytes);
  }
  return undefined;
}

function isType(word: bigint): boolean {
  return word > 0n && word < mostTypes;
}

const mostBytes = 1024 * 1024;

/** From there to the end of the stack, a megabyte at most: as many pointers as a large environment has. */
function readUpwards(tid: number, address: bigint): Buffer {
  const pages: Buffer[] = [];
  let at = address;
  for (let lengthBytes = 0; lengthBytes < mostBytes;) {
    const sizeBytes = Number(pageSizeBytes - (at % pageSizeBytes));
    const page = readMemory(tid, at, sizeBytes);
    if (typeof page === 'number') break;
    pages.push(page);
    lengthBytes += sizeBytes;
    at += BigInt(sizeBytes);
  }
  return Buffer.concat(pages);
}
