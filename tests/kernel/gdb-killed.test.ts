// Whichever dies, hotexec or the gdb that it drives, and whenever: the old or the new program runs, nobody holds it, and no byte of its
// code has been changed (a gdb with libraries loaded leaves a breakpoint in ld.so; kernel: a tracer's text patches outlive it).
import { describe, expect, test } from 'vitest';
import { readText } from '../../src/procfs/read.ts';
import { restart } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { busy } from '../support/kernel/files.ts';
import { expectFree, expectRestarted, tracerOf } from '../support/kernel/in-place.ts';
import { start } from '../support/kernel/target.ts';
import { sweep, type Sweep } from '../support/kill/sweep.ts';
import type { Shape } from '../support/kill/survivor.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const one: Shape = { threads: 1, mebibytes: 0, compared: 'code' };
const twenty: Shape = { threads: 20, mebibytes: 0, compared: 'code' };

const engine = { killed: 'engine', calls: 'syscall' } as const;
const itself = { killed: 'gdb', calls: 'syscall' } as const;
const callingLibc = { killed: 'gdb', calls: 'libc' } as const;

/** At each step from the first on, so many apart; at least so many of them. (Every second one was tried once: none did damage.) */
async function expectNoDamage(points: number, what: Sweep & { readonly stride: number }): Promise<void> {
  const { failures, points: reached } = await sweep('after', { ...what, stride: what.stride * often(1, 3) });
  expect(failures).toEqual([]);
  expect(reached).toBeGreaterThanOrEqual(Math.floor(points * often(1, 0.33)));
}

describe('when hotexec is killed while it drives gdb', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('at any step of a restart, the old or the new program runs on', async () => {
    await expectNoDamage(5, { shape: one, command: null, gdb: engine, first: 3, stride: 31 });
  });

  test('at any step of a restart that fails, the old program runs on', async () => {
    // That somebody writes to the file, only the kernel tells (ETXTBSY).
    await expectNoDamage(5, {
      shape: twenty,
      command: [busy(compile('survivor'))],
      gdb: engine,
      first: 2,
      stride: 23,
    });
  });
});

describe('when the gdb that hotexec drives is killed', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('at any step of a restart, the old or the new program runs on', async () => {
    await expectNoDamage(5, { shape: one, command: null, gdb: itself, first: 4, stride: 37 });
  });

  test('at any step of a restart of 20 threads, the old or the new program runs on', async () => {
    await expectNoDamage(3, { shape: twenty, command: null, gdb: itself, first: 7, stride: 67 });
  });

  // Not between the trap that ends a function and gdb's taking notice of it, some microseconds: docs/limits.md.
  test('at any step of a restart by functions of libc, the old or the new program runs on', async () => {
    await expectNoDamage(3, { shape: one, command: null, gdb: callingLibc, first: 11, stride: 139 });
  });

  test('at any step of a restart that fails, the old program runs on', async () => {
    await expectNoDamage(3, {
      shape: twenty,
      command: [busy(compile('survivor'))],
      gdb: itself,
      first: 5,
      stride: 61,
    });
  });
});

describe('a gdb that hangs', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('is ended in good time, and the program runs on, as it was', async () => {
    const target = await start(compile('threads'), ['100']);
    const answer = restart(target.pid, { driver: 'gdb', environment: [`LONG=${'x'.repeat(100_000)}`] });
    const gdb = await until('gdb has it', () => tracerOf(target.pid), 5_000);
    process.kill(gdb, 'SIGSTOP');
    const { outcome, error, exitCode } = await answer;
    expect([outcome, error?.code, exitCode]).toEqual(['unchanged', 'gdb-failed', 1]);
    expectFree(target.pid);
    expect((await target.ask('there?')).input).toContain('eintr 0');
    expect(readText(`/proc/${gdb}/stat`).kind).not.toBe('read');
    await expectRestarted(target, { driver: 'gdb' });
  });
});
