// The exit of a program is caught before it happens, at no system call traced; and a tracer that is killed leaves nothing behind.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile, type Build } from '../support/kernel/compile.ts';
import { launch, start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const watcher = join(import.meta.dirname, '../fixtures/kernel/exit-watch.ts');

const builds: readonly (readonly [name: string, build: Build])[] = [
  ['glibc', {}],
  ['glibc, static', { flags: ['-static'] }],
  ['glibc, static and stripped', { flags: ['-static', '-s'] }],
  ['glibc, static-pie', { flags: ['-static-pie'] }],
  ['musl', { compiler: 'musl-gcc' }],
  ['musl, static', { compiler: 'musl-gcc', flags: ['-static'] }],
];

describe('the exit of a C program is caught', () => {
  needs('root', { command: 'gcc' }, { command: 'musl-gcc' });

  test.each(builds)('with %s', async (_, build) => {
    for (const how of ['exit 7', '_exit 8', 'thread 9', 'exit 0']) {
      const target = await start(compile('exits', build));
      const watch = await watchExit(target);
      target.say(how);
      await expectEnd(target, watch, Number(how.split(' ')[1]));
    }
  });

  test('when its main thread has left, and a thread that was born meanwhile ends it', async () => {
    const target = await start(compile('exits'));
    const watch = await watchExit(target);
    await target.ask('leave', /^left$/);
    target.say('thread 5');
    await expectEnd(target, watch, 5);
  });

  test('but not that of its children, and its own SIGURG comes through', async () => {
    const target = await start(compile('exits'), ['handler']);
    const watch = await watchExit(target);
    await target.ask('fork', /^child 768$/);
    await target.ask('urgent', /^urgent$/);
    expect(watch.lines).toHaveLength(1);
    target.say('exit 4');
    await expectEnd(target, watch, 4);
  });
});

describe('the exit is caught', () => {
  needs('root');

  test.each([
    ['python', 'python3', ['-uc', 'import sys; print("started"); sys.stdin.readline(); sys.exit(7)']],
    ['node', process.execPath, ['-e', 'console.log("started"); process.stdin.once("data", () => process.exit(7))']],
  ])('of %s', async (_, command, args) => {
    const target = await start(command, args);
    const watch = await watchExit(target);
    target.say('end');
    await expectEnd(target, watch, 7);
  });
});

describe('the exit of a Go program is caught', () => {
  needs('root', { command: 'fortio' });

  test('when its work is done', async () => {
    const load = [
      'load',
      '-quiet',
      '-allow-initial-errors',
      '-t',
      '3s',
      '-c',
      '4',
      '-qps',
      '20',
      'http://127.0.0.1:1/',
    ];
    const target = launch('fortio', load, { stdio: ['ignore', 'ignore', 'ignore'] });
    await until('it runs with many threads', () => threads(target) > 3);
    await expectEnd(target, await watchExit(target), 0);
  });
});

describe('a tracer that is killed', () => {
  needs('root', { command: 'gcc' });

  test('leaves no breakpoint behind: the program ends as it wants to', async () => {
    for (const args of [[], ['handler']]) {
      const target = await start(compile('exits'), args);
      const watch = await watchExit(target);
      await watch.end();
      await target.ask('fork', /^child 768$/);
      await expectExit(target, 'exit 7', 7);
    }
  });

  test('does not harm a program that ends in the same moment', async () => {
    for (let time = 0; time < 12; time++) {
      const target = await start(compile('exits'));
      const watch = await watchExit(target);
      const ended = expectExit(target, 'exit 7', 7);
      if (time % 3 === 1) await new Promise(setImmediate);
      if (time % 3 === 2) await watch.line(/^caught 7$/);
      watch.child.kill('SIGKILL');
      await ended;
    }
  });
});

async function watchExit(target: Target): Promise<Target> {
  const watch = launch(process.execPath, [watcher, String(target.pid)]);
  await watch.line(/^watching/);
  return watch;
}

async function expectEnd(target: Target, watch: Target, code: number): Promise<void> {
  await watch.line(new RegExp(`^caught ${code}$`));
  await until('it has ended', () => target.child.exitCode !== null || target.child.signalCode !== null);
  expect([target.child.exitCode, target.child.signalCode]).toEqual([code, null]);
}

async function expectExit(target: Target, how: string, code: number): Promise<void> {
  const exit = once(target.child, 'exit');
  target.say(how);
  expect(await exit).toEqual([code, null]);
}

function threads(target: Target): number {
  return Number(/^Threads:\t(\d+)$/m.exec(readFileSync(`/proc/${target.pid}/status`, 'utf8'))?.[1]);
}
