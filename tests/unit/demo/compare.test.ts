import { expect, test } from 'vitest';
import { compare, isRight } from '../../../src/demo/compare.ts';
import { renderTable, renderVerdict } from '../../../src/demo/render.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import { atOnce, badVersion, before, graceful, runs } from './looks.ts';

const plain = paintFor({ colours: false });

test('restarts in place keep the process and bring a new program each time', () => {
  const rows = compare(before, runs);
  expect(isRight(rows)).toBe(true);
  expect(renderTable(rows, runs, plain) + renderVerdict(rows, plain)).toBe(`\
                        before       at once      graceful     bad version
pid                     17030        same         same         same
process started (UTC)   23:10:44.98  same         same         same
pid namespace           4026532181   same         same         same
instance                2a365f99     78f6c0e4     0c1d2e3f     9a8b7c6d
version that answers    1.0          1.0          1.1          1.1
requests                             312          305          330
answered                             281          305          330
refused                              26           0            0
cut off                              5            0            0
slowest answer                       126 ms       214 ms       280 ms

Restarted in place, three times: one process, and a new program in it each time.
`);
});

test.each([
  ['another pid', { facts: { ...graceful.facts, pid: 17_031 } }, 'pid'],
  ['another start', { facts: { ...graceful.facts, startTime: new Date(0) } }, 'process started (UTC)'],
  ['an instance that was there before', { answer: atOnce.answer }, 'instance'],
  ['a request that is refused', { tally: { ...graceful.tally, refused: 1 } }, 'refused'],
  ['a request that is cut off', { tally: { ...graceful.tally, cutOff: 1 } }, 'cut off'],
])('%s is not as promised', (_, change, label) => {
  const rows = compare(before, [atOnce, { ...graceful, ...change }, badVersion]);
  expect(isRight(rows)).toBe(false);
  expect(renderVerdict(rows, plain)).toBe(`\nThat was not as promised: ${label}.\n`);
});

test('what a plain restart loses is shown in red, and is as it must be', () => {
  const rows = compare(before, runs);
  expect(renderTable(rows, runs, paintFor({ colours: true }))).toContain('\x1b[31m26\x1b[39m');
});
