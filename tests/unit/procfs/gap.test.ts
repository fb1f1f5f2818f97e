import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findGap } from '../../../src/procfs/gap.ts';
import { parseMaps, type Mapping } from '../../../src/procfs/maps.ts';

const PAGE = 4096n;
const MIB = 1024n * 1024n;

function maps(...ranges: readonly (readonly [start: bigint, end: bigint, path?: string])[]): readonly Mapping[] {
  return parseMaps(
    ranges
      .map(([start, end, path = '']) => `${start.toString(16)}-${end.toString(16)} rw-p 00000000 00:00 0    ${path}\n`)
      .join(''),
  );
}

const TYPICAL = maps(
  [0x5595_02b5_3000n, 0x5595_02b5_f000n, '/usr/bin/cat'],
  [0x5595_0d74_e000n, 0x5595_0d76_f000n, '[heap]'],
  [0x7ff9_0f96_e000n, 0x7ff9_0fc1_d000n, '/lib/libc.so.6'],
  [0x7fff_6208_a000n, 0x7fff_620a_b000n, '[stack]'],
  [0xffff_ffff_ff60_0000n, 0xffff_ffff_ff60_1000n, '[vsyscall]'],
);

/** Everything is full but for some pages at 0x100000. */
function full(freePages: bigint): readonly Mapping[] {
  return maps([0x1_0000n, 0x10_0000n], [0x10_0000n + freePages * PAGE, 1n << 47n]);
}

describe('findGap', () => {
  it('takes the middle of the largest gap', () => {
    const address = findGap(TYPICAL, 8192);
    // The largest gap of a usual x86-64 process lies below its program.
    expect(address).toBe(((0x1_0000n + 0x5595_02b5_3000n - 8192n) / 2n) & -PAGE);
    expect(findGap(TYPICAL, 8192)).toBe(address);
  });

  it('wants a free page on both sides', () => {
    expect(findGap(full(3n), 4096)).toBe(0x10_1000n);
    expect(findGap(full(3n), 4097)).toBeUndefined();
    expect(findGap(full(2n), 1)).toBeUndefined();
  });

  it('stays out of where the stack grows, and above it', () => {
    const low = 1n << 30n;
    const stack = low + 16n * MIB + 3n * PAGE;
    const below = maps([0x1_0000n, low], [stack, stack + PAGE, '[stack]']);
    expect(findGap(below, 4096)).toBe(low + PAGE);
    expect(findGap(below, 8192)).toBeUndefined();
    expect(findGap(below, 8192, { stackMarginBytes: 1024 * 1024 })).toBeDefined();
  });

  it('stays above mmap_min_addr', () => {
    const high = maps([0x2_0000n, 1n << 47n]);
    expect(findGap(high, 4096)).toBeDefined();
    expect(findGap(high, 4096, { lowest: 0x1_f000n })).toBeUndefined();
  });

  it('takes pages of another size', () => {
    const address = findGap(TYPICAL, 1, { pageSizeBytes: 65_536 }) ?? 1n;
    expect(address % 65_536n).toBe(0n);
  });

  it('finds none in a full address space', () => {
    expect(findGap(maps([0n, 1n << 47n]), 4096)).toBeUndefined();
    expect(findGap([], 2 ** 48)).toBeUndefined();
  });

  it('touches no mapping, whatever the mappings are', () => {
    const boundary = fc.bigInt({ min: 0n, max: 1n << 35n }).map((page) => page * PAGE);
    const layouts = fc.uniqueArray(boundary, { maxLength: 40 }).map((boundaries) => {
      const sorted = boundaries.toSorted((a, b) => (a < b ? -1 : 1));
      const ranges: [bigint, bigint, string][] = [];
      for (let index = 0; index + 1 < sorted.length; index += 2) {
        ranges.push([sorted[index] ?? 0n, sorted[index + 1] ?? 0n, index === sorted.length - 2 ? '[stack]' : '']);
      }
      return maps(...ranges);
    });
    fc.assert(
      fc.property(layouts, fc.integer({ min: 1, max: 2 ** 30 }), (layout, sizeBytes) => {
        const address = findGap(layout, sizeBytes);
        if (address === undefined) return;
        const [first, last] = [address - PAGE, address + BigInt(sizeBytes) + PAGE];
        expect(address % PAGE).toBe(0n);
        expect(first >= 65_536n && last <= 1n << 47n).toBe(true);
        expect(layout.some((mapping) => mapping.start < last && first < mapping.end)).toBe(false);
        const stack = layout.find((mapping) => mapping.path === '[stack]');
        expect(stack === undefined || last <= stack.start - 16n * MIB).toBe(true);
      }),
    );
  });
});
