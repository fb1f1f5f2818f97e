// Where each string of the new program lies for its execve: in the old program's memory, where the kernel put it at the start, or in the
// scratch memory, where it must be written first. Pure.
import type { Words } from '../../procfs/words.ts';
import type { Observed } from '../observe.ts';
import type { Program } from '../program.ts';

export interface PlacedWord {
  readonly bytes: Buffer;
  readonly address: bigint;
  /** How many bytes behind `arg_start` or `env_start` it stands already; null: it has to be written. */
  readonly inPlace: number | null;
}

export interface Placed {
  /** Of the scratch memory: 8 bytes that are all ones, then 8 for the old signal mask. */
  readonly masks: bigint;
  readonly argvTable: bigint;
  readonly envpTable: bigint;
  readonly path: PlacedWord;
  readonly argv: readonly PlacedWord[];
  readonly environment: readonly PlacedWord[];
  /** Whole pages. */
  readonly sizeBytes: number;
}

const masksSizeBytes = 16;
const pageSizeBytes = 4096;
const pointerSizeBytes = 8;

/** `scratch`: its address; sizes do not depend on it. */
export function placeWords(program: Program, { stat, program: running }: Observed, scratch: bigint): Placed {
  const argvTable = scratch + BigInt(masksSizeBytes);
  const envpTable = argvTable + BigInt((program.argv.length + 1) * pointerSizeBytes);
  let free = envpTable + BigInt((program.environment.length + 1) * pointerSizeBytes);
  const write = (bytes: Buffer): PlacedWord => {
    const address = free;
    free += BigInt(bytes.length + 1);
    return { bytes, address, inPlace: null };
  };
  const place = (words: readonly Buffer[], found: Words, start: bigint): readonly PlacedWord[] => {
    const offsets = offsetsOf(found);
    return words.map((bytes) => {
      const offset = offsets.get(bytes.toString('latin1'));
      return offset === undefined ? write(bytes) : { bytes, address: start + BigInt(offset), inPlace: offset };
    });
  };
  const path = write(program.path);
  const argv = place(program.argv, running.argv, stat.argStart);
  const environment = place(program.environment, running.environ, stat.envStart);
  const sizeBytes = Math.ceil(Number(free - scratch) / pageSizeBytes) * pageSizeBytes;
  return { masks: scratch, argvTable, envpTable, path, argv, environment, sizeBytes };
}

/** Intact words fill their run of memory, each with its NUL. */
function offsetsOf(found: Words): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  if (found.kind !== 'intact') return offsets;
  let offset = 0;
  for (const word of found.words) {
    offsets.set(word.toString('latin1'), offset);
    offset += word.length + 1;
  }
  return offsets;
}
