// The scratch memory's content: a nonce that tells a mender that the old program is still there, then everything execve is given, and
// some zeroed room for the small structures of other calls. Bytes and addresses: nothing is done to a process here.
import { randomBytes } from '../native/random.ts';

export interface ExecArguments {
  readonly path: Buffer;
  readonly argv: readonly Buffer[];
  readonly environment: readonly Buffer[];
}

export interface ScratchLayout {
  readonly nonce: Buffer;
  /** Whole pages. */
  readonly sizeBytes: number;
  /** Everything from the start of the mapping to the last string; what follows stays zero. */
  readonly bytes: Buffer;
  /** Offsets from the mapping's start. */
  readonly path: number;
  readonly argv: number;
  readonly envp: number;
  /** 256 zeroed bytes for a sigset, a siginfo, a timespec. */
  readonly room: number;
  /** An address to use as the stack of a child that must never run user code: zeros above it. */
  readonly childStack: number;
}

const nonceSizeBytes = 16;
const pageSizeBytes = 4096;
const roomSizeBytes = 256;

/** Pointers depend on where the mapping is, so the address is chosen first. */
export function layOutScratch(
  program: ExecArguments,
  address: bigint,
  nonce: Buffer = randomBytes(nonceSizeBytes),
): ScratchLayout {
  const strings = [program.path, ...program.argv, ...program.environment];
  const tables = (program.argv.length + 1 + program.environment.length + 1) * 8;
  const room = nonceSizeBytes;
  const argv = room + roomSizeBytes;
  const envp = argv + (program.argv.length + 1) * 8;
  const path = argv + tables;
  const end = strings.reduce((offset, word) => offset + word.length + 1, path);
  const bytes = Buffer.alloc(end);
  nonce.copy(bytes, 0);
  let at = path;
  const place = (word: Buffer): bigint => {
    const offset = at;
    word.copy(bytes, offset);
    at += word.length + 1;
    return address + BigInt(offset);
  };
  place(program.path);
  for (const [index, word] of program.argv.entries()) bytes.writeBigUInt64LE(place(word), argv + index * 8);
  for (const [index, word] of program.environment.entries()) bytes.writeBigUInt64LE(place(word), envp + index * 8);
  const sizeBytes = scratchSizeBytes(program);
  return { nonce, sizeBytes, bytes, path, argv, envp, room, childStack: sizeBytes - 256 };
}

/** Known before the address is. */
export function scratchSizeBytes(program: ExecArguments): number {
  const words = [...program.argv, ...program.environment];
  const strings = words.reduce((total, word) => total + word.length + 1, program.path.length + 1);
  const end = nonceSizeBytes + roomSizeBytes + (words.length + 2) * 8 + strings;
  return Math.ceil(end / pageSizeBytes) * pageSizeBytes + pageSizeBytes;
}
