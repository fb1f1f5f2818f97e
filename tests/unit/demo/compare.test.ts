import { expect, test } from 'vitest';
import { compare, isRight } from '../../../src/demo/compare.ts';
import { paintFor } from '../../../src/doctor/paint.ts';
import { renderTable, renderVerdict } from '../../../src/demo/render.ts';
import { after, before } from './looks.ts';

const plain = paintFor({ colours: false });

test('a restart in place keeps the process and brings a new program', () => {
  const rows = compare(before, after);
  expect(isRight(rows)).toBe(true);
  expect(renderTable(rows, plain) + renderVerdict(rows, plain)).toBe(`
                          before          after
pid, seen from outside    17030           17030           same
pid, by its own word      1               1               same
process started (UTC)     23:10:44.98     23:10:44.98     same
pid namespace             4026532181      4026532181      same
mount namespace           4026532179      4026532179      same
instance                  2a365f99        78f6c0e4        new
uptime, by its own word   1.031 s         0.022 s         new
listening socket          38650           39596
requests answered         20 of 20        20 of 20

Restarted in place: the same process, with a new program in it.
`);
});

test.each([
  ['another pid', { facts: { ...after.facts, pid: 17_031 } }, 'pid, seen from outside'],
  ['another start time', { facts: { ...after.facts, startTicks: 1_044_499 } }, 'process started (UTC)'],
  ['the same instance', { answer: { ...after.answer, instance: '2a365f99' } }, 'instance'],
  ['a greater uptime', { answer: { ...after.answer, uptimeMs: 2_000 } }, 'uptime, by its own word'],
])('%s is no restart in place', (_, change, label) => {
  const rows = compare(before, { ...after, ...change });
  expect(isRight(rows)).toBe(false);
  expect(renderVerdict(rows, plain)).toBe(`\nThat was no restart in place. Not as promised: ${label}.\n`);
});

test('a listener that was kept is as good as a new one', () => {
  const facts = { ...after.facts, listenerInode: before.facts.listenerInode };
  expect(isRight(compare(before, { ...after, facts }))).toBe(true);
});

test('what is not as promised is marked in red', () => {
  const rows = compare(before, { ...after, answer: before.answer });
  expect(renderTable(rows, paintFor({ colours: true }))).toContain('\x1b[31mNOT NEW\x1b[39m');
});
