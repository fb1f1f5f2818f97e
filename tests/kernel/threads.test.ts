// Whatever its threads do, a program is restarted, or refused in good time and left as it was.
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { threadIds, threadState } from '../../src/tracer/thread-states.ts';
import { restart } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import { expectFree, expectRestarted, expectUnchanged, stateOf } from '../support/kernel/in-place.ts';
import { snapshot, expectAsBefore } from '../support/kernel/snapshot.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

// An argument of more than 128 KiB: no file tells beforehand, only the kernel refuses it (E2BIG).
const onlyTheKernelRefuses = { environment: [`TOO_LONG=${'x'.repeat(140_000)}`] };
/** A child that ends when our end of its input is closed. */
const threadsAndChild = (count: number): string => `
import subprocess, threading
for _ in range(${count}): threading.Thread(target=threading.Event().wait, daemon=True).start()
print('started', subprocess.Popen(['cat']).pid)
threading.Event().wait()`;
const childOf = ({ lines }: Target): string => lines.at(-1)?.replace('started ', '') ?? '';
const refusedByDryRun = { code: 'exec-refused', exitCode: 1 } as const;

describe('a program of many threads', () => {
  needs('root', { command: 'gcc' });

  test.each([1, 10, 100, 1_000])('is restarted with %i threads', async (count) => {
    const target = await start(compile('threads'), [String(count)]);
    for (let time = 0; time < 3; time++) {
      await expectRestarted(target);
      await until('its threads are there again', () => readdirSync(`/proc/${target.pid}/task`).length === count);
    }
  });

  test.each([1, 100, 1_000])('runs on when it cannot be restarted, with %i threads', async (count) => {
    const target = await start(compile('threads'), [String(count)]);
    await expectUnchanged(target, refusedByDryRun, onlyTheKernelRefuses);
  });

  // Then each process is asked for its parent, not each thread for its children.
  test('is restarted without the child of one of them, where there are fewer processes than threads', async () => {
    const count = 2 * readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length + 200;
    const target = await start('python3', ['-uc', threadsAndChild(count)]);
    const first = childOf(target);
    expect((await restart(target.pid)).result?.children.killed).toBe(1);
    expect(existsSync(`/proc/${first}`)).toBe(false);
    await until('it has started again', () => childOf(target) !== first);
  });

  test('is restarted while its threads are born and joined', async () => {
    const target = await start(compile('births'));
    for (let time = 0; time < 15; time++) await expectRestarted(target);
  });

  test('is restarted when its main thread has left', async () => {
    const target = await start(compile('zombie-leader'));
    for (let time = 0; time < 5; time++) {
      await until('the leader is a zombie', () => stateOf(target.pid) === 'Z');
      await expectRestarted(target);
    }
  });

  test.each([2, -3])('is restarted while its threads never enter the kernel (%i)', async (count) => {
    const target = await start(compile('spin'), [String(count)]);
    for (let time = 0; time < 3; time++) await expectRestarted(target);
  });
});

describe('a program that starts another one (vfork)', () => {
  test('is refused while the child does not start, and is left as it was', async () => {
    const target = await start(compile('vfork'), ['4']);
    target.say('go');
    await target.line(/^vfork$/);
    const began = performance.now();
    const answer = await restart(target.pid);
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(answer).toMatchObject({ exitCode: 1, error: { code: 'hold-timeout' } });
    expectFree(target.pid);
    expect((await target.ask('still there?')).input).toContain('eintr 0');
    await target.line(/^vfork-over$/);
    await expectRestarted(target);
  });

  test('is restarted when that is over within a second', async () => {
    const target = await start(compile('vfork'), ['1']);
    target.say('go');
    await target.line(/^vfork$/);
    await expectRestarted(target);
  });
});

async function untilStopped(pid: number): Promise<void> {
  await until('all its threads are stopped', () => threadIds(pid).every((tid) => threadState(pid, tid) === 'T'));
}

describe('a stopped program (SIGSTOP)', () => {
  test('runs when it has been restarted', async () => {
    const target = await start(compile('threads'), ['3']);
    process.kill(target.pid, 'SIGSTOP');
    await untilStopped(target.pid);
    await expectRestarted(target);
  });

  test('is stopped still when it could not be restarted, and goes on at SIGCONT', async () => {
    const target = await start(compile('threads'), ['3']);
    process.kill(target.pid, 'SIGSTOP');
    await untilStopped(target.pid);
    const before = snapshot(target.pid);
    expect(await restart(target.pid, onlyTheKernelRefuses)).toMatchObject({ outcome: 'unchanged' });
    await expectAsBefore(target.pid, before);
    expect(stateOf(target.pid)).toBe('T');
    process.kill(target.pid, 'SIGCONT');
    expect((await target.ask('awake?')).input).toContain('eintr 0');
  });
});

describe('any way of building a program', () => {
  needs({ command: 'gcc' }, { command: 'musl-gcc' });

  test.each([
    ['static', { flags: ['-static'] }],
    ['static and position-independent', { flags: ['-static-pie', '-fPIE'] }],
    ['dynamic and position-independent', { flags: ['-pie', '-fPIE'] }],
    ['dynamic at a fixed address', { flags: ['-no-pie', '-fno-pie'] }],
    ['with musl, static', { compiler: 'musl-gcc', flags: ['-static'] }],
    ['with musl, dynamic', { compiler: 'musl-gcc' }],
  ])('is restarted and left alone: %s', async (_, build) => {
    const target = await start(compile('threads', build), ['3']);
    await expectUnchanged(target, refusedByDryRun, onlyTheKernelRefuses);
    await expectRestarted(target);
    await expectRestarted(target);
  });
});

describe('an odd state of the main thread', () => {
  test.each([
    ['its stack pointer is in a page that nobody may touch', 'bad-stack'],
    ['its vDSO is unmapped', 'no-vdso'],
  ])('%s', async (_, program) => {
    const target = await start(compile(program));
    await expectUnchanged(target, refusedByDryRun, onlyTheKernelRefuses);
    await expectRestarted(target);
  });

  test.each([
    ['a SIGTRAP handler', []],
    ['SIGTRAP blocked', ['block']],
  ])('%s: no trap is ever raised', async (_, args) => {
    const target = await start(compile('sigtrap'), args);
    for (let time = 0; time < 5; time++) await restart(target.pid, onlyTheKernelRefuses);
    expect((await target.ask('traps?')).input).toBe('alive traps 0');
    await expectRestarted(target);
    expect((await target.ask('traps?')).input).toBe('alive traps 0');
  });
});
