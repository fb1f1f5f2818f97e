// A new program that ends in its probation: the previous one runs again in its place, whatever the end was.
import { describe, expect, test } from 'vitest';
import type { ProgramEnd } from '../../src/protocol/result.ts';
import { compile } from '../support/kernel/compile.ts';
import { expectFree } from '../support/kernel/in-place.ts';
import { expectRolledBack, tryProgram } from '../support/kernel/probation.ts';
import { launchInSandbox } from '../support/kernel/sandbox.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';

const ends = (...words: readonly (string | number)[]): readonly string[] => [compile('ends'), ...words.map(String)];
const exits = (exitCode: number): Partial<ProgramEnd> => ({ exitCode, signal: null, reason: 'exit' });
const dies = (signal: string): Partial<ProgramEnd> => ({ exitCode: null, signal, reason: 'signal' });

/** Long enough for each of these. */
const brief = { probationMs: 600 } as const;

const places: readonly (readonly [where: string, start: () => Promise<Target>])[] = [
  ['a process', () => start(compile('threads'), ['3'])],
  [
    'process 1 of a container',
    async () => {
      const target = await launchInSandbox(compile('threads'), ['3']);
      await target.line(/^started/);
      return target;
    },
  ],
];

describe.each(often(places, places.slice(1)))(
  'the previous program of %s runs again when the new one',
  (where, startOld) => {
    needs('root', { command: 'gcc' });

    test.each<[what: string, command: readonly string[], end: Partial<ProgramEnd>]>([
      ['exits with 1 at once', ends('exit', 1), exits(1)],
      ['exits with 255 after a while', ends('after', 300, 'exit', 255), exits(255)],
      ['cannot find a library or whatever else a shell says', ['/bin/sh', '-c', 'exit 127'], exits(127)],
      ['touches memory that is not there', ends('segfault'), dies('SIGSEGV')],
      ['touches memory that is not there, in another thread', ends('thread-segfault'), dies('SIGSEGV')],
      ['exits in another thread', ends('thread-exit', 3), exits(3)],
      ['ends its only thread', ends('last-thread', 4), exits(4)],
      ['exits in a thread that its main thread has left alone', ends('leader-first', 5), exits(5)],
      ['ends its last thread, the main one having left', ends('leader-first-then-thread', 6), exits(6)],
      ['makes 200 threads and exits', ends('threads', 1), exits(1)],
      ['exits while its threads bear others', ends('births', 1), exits(1)],
      ['makes itself a daemon', ends('fork', 0), exits(0)],
      ['leaves a child and exits with 1', ends('fork', 1), exits(1)],
      ['executes another program, which exits with 1', ends('exec-exit'), exits(1)],
    ])('%s', async (_, command, end) => {
      const target = await startOld();
      await expectRolledBack(target, end, { command, ...brief });
    });

    test('aborts', async () => {
      const target = await startOld();
      await expectRolledBack(target, dies('SIGABRT'), { command: ends('abort') });
    });
  },
);

describe('a new program', () => {
  needs('root', { command: 'gcc' });

  // The last of its threads to be stopped stands right before its own exit_group.
  test.each([
    { which: 'that ends in two threads at once', how: 'together', times: often(50, 4) },
    { which: 'whose last two threads end at once', how: 'last-together', times: often(20, 3) },
  ])('$which has failed, $times times out of $times', { timeout: 300_000 }, async ({ how, times }) => {
    const target = await start(compile('threads'), ['3']);
    for (let time = 0; time < times; time++) {
      await expectRolledBack(target, exits(7), { command: ends(how, 7), probationMs: 300 });
    }
  });

  test('that kills itself by a signal has failed', async () => {
    const target = await start(compile('threads'), ['3']);
    await expectRolledBack(target, dies('SIGTERM'), { command: ends('raise', 15) });
    await expectRolledBack(target, dies('SIGUSR1'), { command: ends('raise', 10) });
  });

  test('that exits with 0 has done what it was meant to do', async () => {
    const target = await start(compile('threads'), ['3']);
    const result = await tryProgram(target.pid, { command: ends('exit', 0) });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'ended' }, failed: null, error: null });
    await target.end();
    expect(target.child.exitCode).toBe(0);
  });

  test('that runs is let go when its time is over', async () => {
    const target = await start(compile('threads'), ['3']);
    const result = await tryProgram(target.pid, { command: ends('hang') });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' }, failed: null });
    expect(result.probation.ms).toBeGreaterThanOrEqual(1_000);
    expect(result.probation.ms).toBeLessThan(1_500);
    expectFree(target.pid);
    expect((await target.ask('eh?')).input).toContain('eintr 0');
  });
});
