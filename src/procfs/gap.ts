// Finds free address space for scratch memory in another process: mmap with MAP_FIXED_NOREPLACE goes there.
import { findMapping, type Mapping } from './maps.ts';

export interface GapOptions {
  /** Default 4096; arm64 kernels may use 16384 or 65536. */
  readonly pageSizeBytes?: number;
  /** No address below it: /proc/sys/vm/mmap_min_addr. Default 65536. */
  readonly lowest?: bigint;
  /** The first address that is not user space. Default 2^47; arm64 with 39-bit addresses has 2^39. */
  readonly top?: bigint;
  /** Kept free below [stack], which grows downwards. Default 16 MiB; at least RLIMIT_STACK is better. */
  readonly stackMarginBytes?: number;
}

interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * An address with room for `sizeBytes` and a guard page on both sides, or undefined when there is none.
 * It is the middle of the largest gap: far from where the heap, mmap and the stack grow to. Everything above
 * [stack] is left alone, since how far user space reaches there depends on the kernel's configuration.
 */
export function findGap(maps: readonly Mapping[], sizeBytes: number, options: GapOptions = {}): bigint | undefined {
  const page = BigInt(options.pageSizeBytes ?? 4096);
  const size = roundUp(BigInt(Math.max(1, Math.ceil(sizeBytes))), page);
  const gap = largestOf(gapsBetween(maps, usableRange(maps, options, page)));
  if (gap === undefined || gap.end - gap.start < size + 2n * page) return undefined;
  const slack = gap.end - gap.start - size;
  return gap.start + ((slack / 2n) & -page);
}

function usableRange(maps: readonly Mapping[], options: GapOptions, page: bigint): Range {
  const top = options.top ?? 1n << 47n;
  const stack = findMapping(maps, '[stack]');
  const margin = BigInt(Math.max(0, Math.ceil(options.stackMarginBytes ?? 16 * 1024 * 1024)));
  const belowStack = stack === undefined ? top : stack.start - margin;
  const end = belowStack < top ? belowStack : top;
  return { start: roundUp(options.lowest ?? 65_536n, page), end: end < 0n ? 0n : end & -page };
}

function gapsBetween(maps: readonly Mapping[], usable: Range): readonly Range[] {
  const gaps: Range[] = [];
  let start = usable.start;
  for (const mapping of maps.toSorted((a, b) => (a.start < b.start ? -1 : 1))) {
    if (mapping.start >= usable.end) break;
    if (mapping.start > start) gaps.push({ start, end: mapping.start });
    if (mapping.end > start) start = mapping.end;
  }
  return [...gaps, { start, end: usable.end }];
}

function largestOf(gaps: readonly Range[]): Range | undefined {
  let largest: Range | undefined;
  for (const gap of gaps) {
    if (largest === undefined || gap.end - gap.start > largest.end - largest.start) largest = gap;
  }
  return largest;
}

function roundUp(value: bigint, page: bigint): bigint {
  return (value + page - 1n) & -page;
}
