// Whichever dies, hotexec or the gdb that it drives, and whenever: the old or the new program runs, nobody holds it, and no byte of its
// code has been changed (a gdb with libraries loaded leaves a breakpoint in ld.so; kernel: a tracer's text patches outlive it).
import { describe, expect, test } from 'vitest';
import { compile } from '../support/kernel/compile.ts';
import { busy } from '../support/kernel/files.ts';
import { sweep, type Sweep } from '../support/kill/sweep.ts';
import type { Shape } from '../support/kill/survivor.ts';
import { needs } from '../support/needs.ts';

const one: Shape = { threads: 1, mebibytes: 0, compared: 'code' };
const twenty: Shape = { threads: 20, mebibytes: 0, compared: 'code' };
// That somebody writes to the file, only the kernel says (ETXTBSY).

/** At each step from the first on, so many apart; at least so many of them. */
async function expectNoDamage(points: number, what: Sweep): Promise<void> {
  const { failures, points: reached } = await sweep('after', what);
  expect(failures).toEqual([]);
  expect(reached).toBeGreaterThanOrEqual(points);
}

describe('when hotexec is killed while it drives gdb', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('at any step of a restart, the old or the new program runs on', async () => {
    await expectNoDamage(9, { shape: one, command: null, driver: 'gdb', first: 3, stride: 19 });
  });

  test('at any step of a restart that fails, the old program runs on', async () => {
    await expectNoDamage(5, {
      shape: twenty,
      command: [busy(compile('survivor'))],
      driver: 'gdb',
      first: 2,
      stride: 23,
    });
  });
});

describe('when the gdb that hotexec drives is killed', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('at any step of a restart, the old or the new program runs on', async () => {
    await expectNoDamage(10, { shape: one, command: null, driver: 'gdb, which is killed', first: 4, stride: 17 });
  });

  test('at any step of a restart of 20 threads, the old or the new program runs on', async () => {
    await expectNoDamage(5, { shape: twenty, command: null, driver: 'gdb, which is killed', first: 7, stride: 41 });
  });

  test('at any step of a restart that fails, the old program runs on', async () => {
    await expectNoDamage(5, {
      shape: twenty,
      command: [busy(compile('survivor'))],
      driver: 'gdb, which is killed',
      first: 5,
      stride: 43,
    });
  });
});
