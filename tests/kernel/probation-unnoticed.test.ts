// A program on probation is traced, and must see nothing of it but that it is slower.
import { describe, expect, test } from 'vitest';
import { compile } from '../support/kernel/compile.ts';
import { expectFree, stateOf } from '../support/kernel/in-place.ts';
import { tryProgram } from '../support/kernel/probation.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { fortioServer } from '../support/kernel/serving.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

describe('a program on probation', () => {
  needs('root', { command: 'gcc' });

  test('waits, faults, has children and threads as if nobody looked', async () => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, { command: [compile('watched')], probationMs: 1_500 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' }, warnings: [] });
    expectFree(target.pid);
    const { input } = await target.ask('how was it?');
    // Of hundreds of children that ended, a few may have interrupted an epoll_wait (docs/limits.md).
    expect(input).toMatch(/turns [1-9]\d+ faults [1-9]\d+ children [1-9]\d* interrupted \d{1,2} wrong 0$/);
  });

  test('is let go while it bears threads', async () => {
    const target = await start(compile('threads'));
    for (let time = 0; time < 10; time++) {
      const result = await tryProgram(target.pid, { command: [compile('births')], probationMs: 100 });
      expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
      expect(result.probation.ms).toBeLessThan(1_000);
      await target.line(/^started/);
      expectFree(target.pid);
    }
  });

  test('bears thousands of threads, and its end would still be caught', async () => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, { command: [compile('births')], probationMs: 3_000 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' }, warnings: [] });
    const [, born] = await target.ask('how many?', /^alive born (\d+)/);
    expect(Number(born)).toBeGreaterThan(3_000);
  });

  test('gets every signal that is sent to it, in order, and none besides', async () => {
    const target = await start(compile('threads'));
    await tryProgram(target.pid, { command: [compile('rt-signals')], probationMs: 1_000 });
    const [, received, disordered] = await target.ask('enough', /^alive received (\d+) disordered (\d+)$/);
    expect(disordered).toBe('0');
    expect(Number(received)).toBeGreaterThan(200);
    await tryProgram(target.pid, { command: [compile('signal-counts')], probationMs: 300 });
    expect((await target.ask('which?', /^alive .*\.$/)).input).toBe('alive .');
  });

  test('stops at a SIGSTOP and goes on at a SIGCONT', async () => {
    const target = await start(compile('threads'));
    const asked = tryProgram(target.pid, { command: [compile('threads'), '3'], probationMs: 1_500 });
    await target.line(/^started/);
    for (let time = 0; time < 5; time++) {
      process.kill(target.pid, 'SIGSTOP');
      await until('it is stopped', () => 'Tt'.includes(stateOf(target.pid)));
      target.say('asleep?');
      process.kill(target.pid, 'SIGCONT');
      await target.line(/^alive/);
    }
    expect(await asked).toMatchObject({ outcome: 'restarted' });
    expectFree(target.pid);
    await target.ask('awake?');
  });

  test('that was stopped by somebody stays so when its time is over', async () => {
    const target = await start(compile('threads'));
    const asked = tryProgram(target.pid, { command: [compile('threads'), '3'], probationMs: 600 });
    await target.line(/^started/);
    process.kill(target.pid, 'SIGSTOP');
    expect(await asked).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    await until('it is stopped, and not by a tracer', () => stateOf(target.pid) === 'T');
    process.kill(target.pid, 'SIGCONT');
    expect((await target.ask('awake?')).input).toContain('eintr 0');
    expectFree(target.pid);
  });

  test('executes another program, and that one is watched on', async () => {
    const target = await start(compile('threads'));
    const command = ['/bin/sh', '-c', 'exec "$0" 3', compile('threads')];
    const result = await tryProgram(target.pid, { command, probationMs: 400 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    await target.line(/^started/);
    await answersFreely(target);
  });

  test('makes a hundred thousand system calls: it only gets slower', async () => {
    const target = await start(compile('threads'));
    const count = 'import os\nfor _ in range(100000): os.getppid()\nprint("started", flush=True)';
    const answer = 'import sys\nfor line in sys.stdin: print("alive eintr 0", flush=True)';
    const command = ['python3', '-c', `${count}\n${answer}`];
    const result = await tryProgram(target.pid, { command, probationMs: 1_000 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    await target.line(/^started/);
    await answersFreely(target);
  });

  test.each([
    [
      'python',
      [
        'python3',
        '-uc',
        'import sys, ssl, http.server\nprint("started")\nfor line in sys.stdin: print("alive eintr 0")',
      ],
    ],
    [
      'node',
      [process.execPath, '-e', 'console.log("started"); process.stdin.on("data", () => console.log("alive eintr 0"))'],
    ],
  ])('may be %s', async (_, command) => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, { command, probationMs: 2_000 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    await target.line(/^started/);
    await answersFreely(target);
  });
});

describe('a program in Go on probation', () => {
  needs('root', { command: 'gcc' }, { command: 'fortio' });

  test('is let go when it listens', async () => {
    const target = await start(compile('serves'), ['0', '0']);
    const result = await tryProgram(target.pid, { command: ['fortio', ...fortioServer('127.0.0.1:0')] });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'listening' } });
    expectFree(target.pid);
  });
});

async function answersFreely(target: Target): Promise<void> {
  expectFree(target.pid);
  expect((await target.ask('how was it?')).input).toContain('eintr 0');
}
