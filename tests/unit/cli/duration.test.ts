import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDurationMs } from '../../../src/cli/duration.ts';

it.each([
  ['10s', 10_000],
  ['500ms', 500],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
  ['0', 0],
  ['2h0m5s10ms', 7_205_010],
])('reads %s', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

it.each(['', '10', 's', '-5s', '1d', '10 s', '1e3s', '.5s', '5S', '1s ', '0x1s'])('does not read %j', (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

it('answers any text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const ms = parseDurationMs(text);
      expect(ms === undefined || ms >= 0).toBe(true);
    }),
  );
});
