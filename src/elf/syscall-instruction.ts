// Finds a system call instruction in the vDSO, so that none has to be written into a process. Any place where the bytes
// stand in executable memory will do, also inside of another instruction or a constant.
import { parseElfHeader } from './header.ts';

export interface InstructionPattern {
  readonly bytes: Buffer;
  /** Instructions begin at multiples of this. */
  readonly alignBytes: number;
}

/** `syscall` of x86-64. */
export const SYSCALL_X86_64: InstructionPattern = { bytes: Buffer.from('0f05', 'hex'), alignBytes: 1 };
/** `svc #0` of arm64. */
export const SYSCALL_AARCH64: InstructionPattern = { bytes: Buffer.from('010000d4', 'hex'), alignBytes: 4 };

/**
 * Offset of the instruction from the beginning of the vDSO image (in the file and in memory it is the same), within an
 * executable PT_LOAD. undefined: there is none, or the image is no ELF.
 */
export function findSyscallInstruction(vdso: Buffer, pattern: InstructionPattern = SYSCALL_X86_64): number | undefined {
  const header = parseElfHeader(vdso);
  if (header.kind !== 'elf') return undefined;
  for (const load of header.loads.filter((segment) => segment.executable)) {
    const end = load.offset + load.fileSizeBytes;
    const found = findAligned(vdso, pattern, {
      start: load.offset,
      end: end < vdso.length ? end : BigInt(vdso.length),
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function findAligned(
  image: Buffer,
  { bytes, alignBytes }: InstructionPattern,
  range: { readonly start: bigint; readonly end: bigint },
): number | undefined {
  if (bytes.length === 0 || range.start >= range.end) return undefined;
  const end = Number(range.end);
  let at = image.indexOf(bytes, Number(range.start));
  while (at !== -1 && at + bytes.length <= end) {
    if (at % alignBytes === 0) return at;
    at = image.indexOf(bytes, at + 1);
  }
  return undefined;
}
