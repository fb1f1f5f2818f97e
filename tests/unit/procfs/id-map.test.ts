import { describe, expect, it } from 'vitest';
import { idInside, idOutside, parseIdMap } from '../../../src/procfs/id-map.ts';

const map = parseIdMap('         0     100000      65536\n     70000       1000          1\n');

describe('ids of a user namespace', () => {
  it.each([
    [0, 100_000],
    [65_535, 165_535],
    [70_000, 1000],
  ])('%i inside is %i outside', (inside, outside) => {
    expect([idOutside(inside, map), idInside(outside, map)]).toStrictEqual([outside, inside]);
  });

  it('are none outside where the namespace has none, and the same where no map is known', () => {
    expect([idOutside(65_536, map), idOutside(4711, [])]).toStrictEqual([undefined, 4711]);
  });
});
