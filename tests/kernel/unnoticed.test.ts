// A restart that fails is not noticed: no system call of the program ends early, no signal is lost and none is added.
import { describe, expect, test } from 'vitest';
import { restart, type Answer } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';

const onlyTheKernelRefuses = { environment: [`TOO_LONG=${'x'.repeat(140_000)}`] };

const calls = [
  'read',
  'poll',
  'ppoll',
  'epoll_wait',
  'epoll_pwait',
  'futex',
  'futex_timed',
  'semtimedop',
  'recv',
  'accept',
  'nanosleep',
  'clock_nanosleep',
  'wait4',
  'sigtimedwait',
  'pause',
  'sigsuspend',
  'io_getevents',
];

const allWell = calls.map((call) => `ended ${call} well `).toSorted();

describe('a restart that fails is not noticed', () => {
  needs('root', { command: 'gcc' });

  test('by threads in any system call, twenty times', async () => {
    const target = await start(compile('waits'));
    await failToRestart(target, 20);
    expect(await wake(target)).toEqual(allWell);
  });

  // What its main thread waits in is what hotexec borrows.
  test.each(calls)('by a main thread in %s', async (call) => {
    const target = await start(compile('waits'), [call]);
    await failToRestart(target, 2);
    expect(await wake(target)).toEqual(allWell);
  });

  test('by a program that counts its signals', async () => {
    const target = await start(compile('signal-counts'));
    await failToRestart(target, 15);
    expect((await target.ask('which signals?')).input).toBe('alive .');
  });

  test('by a program that is sent a thousand signals a second: none is lost, and their order stays', async () => {
    const target = await start(compile('rt-signals'));
    await failToRestart(target, 20);
    const [, received, disordered] = await target.ask('enough', /^alive received (\d+) disordered (\d+)$/);
    expect(disordered).toBe('0');
    expect(Number(received)).toBeGreaterThan(1_000);
  });

  test('by restartable sequences', async () => {
    const target = await start(compile('rseq'));
    await failToRestart(target, 15);
    target.child.stdin?.end();
    expect((await target.line(/^lost/)).input).toMatch(/^lost 0 of /);
  });
});

async function failToRestart(target: Target, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const answer: Answer = await restart(target.pid, onlyTheKernelRefuses);
    expect(answer).toMatchObject({ outcome: 'unchanged', error: { code: 'exec-refused' } });
  }
}

async function wake(target: Target): Promise<readonly string[]> {
  target.say('wake');
  await target.line(/^all ended/).catch(() => {}); // the lines tell which did not
  return target.lines.filter((line) => line.startsWith('ended ')).toSorted();
}
