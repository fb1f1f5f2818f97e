// /proc/PID/auxv: the auxiliary vector the kernel gave the program, as pairs of 64-bit little-endian words (getauxval(3)).
// Only for 64-bit processes; a 32-bit one has 32-bit words here.
import { ParseError } from './parse-error.ts';

export const AT_NULL = 0;
export const AT_PAGESZ = 6;
/** Where the interpreter (ld.so) was loaded. */
export const AT_BASE = 7;
export const AT_ENTRY = 9;
/** 1: the program was started set-uid or with file capabilities. */
export const AT_SECURE = 23;
/** Address of the path given to execve; it lies right behind the environment strings. */
export const AT_EXECFN = 31;
/** Where the vDSO was mapped at the start; the process may have unmapped it since. */
export const AT_SYSINFO_EHDR = 33;

const PAIR_BYTES = 16;

/** Parses up to AT_NULL; the first value of a type counts. Empty (kernel thread, zombie) gives an empty map. */
export function parseAuxv(buffer: Buffer): ReadonlyMap<number, bigint> {
  const values = new Map<number, bigint>();
  for (let offset = 0; offset < buffer.length; offset += PAIR_BYTES) {
    if (offset + PAIR_BYTES > buffer.length)
      throw new ParseError('auxv', 'half a pair', buffer.toString('hex', offset));
    const type = buffer.readBigUInt64LE(offset);
    if (type === BigInt(AT_NULL)) break;
    if (type > 0xffff_ffffn) throw new ParseError('auxv', 'an impossible type', type.toString());
    if (!values.has(Number(type))) values.set(Number(type), buffer.readBigUInt64LE(offset + 8));
  }
  return values;
}
