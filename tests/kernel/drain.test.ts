// The old program finishes by itself, in whatever way it does, and the new one is started from where it would have ended.
import { describe, expect, test } from 'vitest';
import type { Drain } from '../../src/protocol/result.ts';
import { endWithoutUs, expectDrained, startIn, told, type Place } from '../support/kernel/drained.ts';
import { expectFree } from '../support/kernel/in-place.ts';
import { tryProgram } from '../support/kernel/probation.ts';
import { refused } from '../support/kill/sweep.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';

const exited = (exitCode: number): Partial<Drain> => ({ end: 'exited', exitCode, endedBy: null });
const died = (endedBy: string): Partial<Drain> => ({ end: 'exited', exitCode: null, endedBy });

const places: readonly Place[] = ['a process', 'process 1 of a container'];

describe.each(often(places, places.slice(1)))('%s that is told to finish is started again when it', (place) => {
  needs('root', { command: 'gcc' });

  test.each<[what: string, how: readonly (string | number)[], drain: Partial<Drain>]>([
    ['returns from main', ['handler', 'return', 7], exited(7)],
    ['exits with 0', ['handler', 'exit', 0], exited(0)],
    ['exits with 255', ['handler', 'exit', 255], exited(255)],
    ['exits in the handler', ['in-handler', 'exit', 3], exited(3)],
    ['exits in another thread', ['handler', 'thread-exit', 4], exited(4)],
    ['ends its only thread', ['handler', 'last-thread', 5], exited(5)],
    ['exits in a thread that its main thread has left alone', ['handler', 'leader-first', 6], exited(6)],
    ['ends its last thread, the main one having left', ['handler', 'leader-first-then-thread', 8], exited(8)],
    ['exits while its threads bear others', ['handler', 'births', 9], exited(9)],
    ['touches memory that is not there', ['handler', 'segfault'], died('SIGSEGV')],
    ['touches memory that is not there, in the handler', ['in-handler', 'segfault'], died('SIGSEGV')],
    ['aborts', ['handler', 'abort'], died('SIGABRT')],
    ['aborts in the handler', ['in-handler', 'abort'], died('SIGABRT')],
    ['waits for the signal with sigwait', ['sigwait', 'exit', 10], exited(10)],
    ['reads the signal from a descriptor', ['signalfd', 'return', 11], exited(11)],
    ['waits for a child and exits as that did', ['handler', 'child', 12], exited(12)],
    ['waits for a child in the handler', ['in-handler', 'child', 13], exited(13)],
    ['leaves a child behind', ['handler', 'fork', 14], exited(14)],
    ['executes another program', ['handler', 'sh', 'sleep 0.05; exit 15'], exited(15)],
    ['executes another program in the handler', ['in-handler', 'sh', 'exit 16'], exited(16)],
  ])('%s', async (_, how, drain) => {
    const target = await startIn(place, told(...how));
    await expectDrained(target, drain, { own: /^anon_inode:.signalfd/ });
  });

  test.each([1, 20, 200])('has %i threads', async (threads) => {
    const target = await startIn(place, told('handler', 'exit', 17), { THREADS: threads });
    await expectDrained(target, exited(17));
    await expectDrained(target, exited(17));
  });

  test('has much memory', async () => {
    const target = await startIn(place, told('handler', 'exit', 18), { THREADS: 20, MEBIBYTES: 100 });
    await expectDrained(target, exited(18));
  });
});

const fifty = often(50, 10);

describe('a program that is told to finish', () => {
  needs('root', { command: 'gcc' });

  test('sends itself the signal again: its default would end it', async () => {
    const target = await startIn('a process', told('handler', 'again', 1));
    await expectDrained(target, died('SIGTERM'));
  });

  test('sends itself the signal again, as process 1, which the kernel would not end for it', async () => {
    const target = await startIn('process 1 of a container', told('handler', 'again', 19));
    await expectDrained(target, died('SIGTERM'));
  });

  test(`ends in two threads at once, ${fifty} times out of ${fifty}`, async () => {
    const target = await startIn('a process', told('handler', 'together', 20));
    for (let time = 0; time < fifty; time++) await expectDrained(target, exited(20), { probationMs: 0 });
  });

  test(`ends its last two threads at once, ${fifty} times out of ${fifty}`, async () => {
    const target = await startIn('a process', told('handler', 'last-together', 21));
    for (let time = 0; time < fifty; time++) await expectDrained(target, exited(21), { probationMs: 0 });
  });

  test.each(places)(
    'sees nothing of being watched in it, as %s, and ends afterwards as it always does',
    async (place) => {
      const target = await startIn(place, told('handler', 'work'), { THREADS: 20 });
      await expectDrained(target, exited(0));
      await expectDrained(target, exited(0));
      expect(await endWithoutUs(target)).toEqual([0, null]);
    },
  );

  test('cannot be followed by the new one: it is let go before that is said', async () => {
    const target = await startIn('process 1 of a container', told('handler', 'exit', 22), { THREADS: 20 });
    for (let time = 0; time < 5; time++) {
      const result = await tryProgram(target.pid, { command: refused });
      expectFree(target.pid);
      expect(result).toMatchObject({ outcome: 'unchanged', error: { code: 'exec-refused' } });
    }
    await expectDrained(target, exited(22));
  });
});
