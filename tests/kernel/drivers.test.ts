// What a restart is, whoever holds the target: hotexec by ptrace, or a gdb that it tells what to do. Each driver keeps all of it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readText } from '../../src/procfs/read.ts';
import { plan, restart, type Asked } from '../support/kernel/ask.ts';
import { compile } from '../support/kernel/compile.ts';
import * as files from '../support/kernel/files.ts';
import { found, fromHex } from '../support/kernel/found.ts';
import {
  expectFree,
  expectRestarted,
  expectUnchanged,
  startTicks,
  stateOf,
  tracerOf,
} from '../support/kernel/in-place.ts';
import { launchInSandbox } from '../support/kernel/sandbox.ts';
import { launch, start } from '../support/kernel/target.ts';
import { fortioServer, listens } from '../support/kernel/serving.ts';
import { needs, needsHere } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

// An argument of more than 128 KiB: no file tells beforehand, only the kernel refuses it (E2BIG).
const onlyTheKernelRefuses = { environment: [`TOO_LONG=${'x'.repeat(140_000)}`] };
const refused = { code: 'exec-refused', exitCode: 1 } as const;

const drivers: readonly (readonly [driver: NonNullable<Asked['driver']>, needed: readonly string[]])[] = [
  ['ptrace', ['gcc']],
  ['gdb', ['gcc', 'gdb']],
];

// That ptrace keeps it is what nearly all other tests are about.
describe.each(often(drivers, drivers.slice(1)))('the driver %s', (driver, needed) => {
  needs('root', ...needed.map((command) => ({ command })));

  test.each([
    { what: 'a static program', name: 'program', flags: ['-static'], args: [] },
    { what: 'a dynamic program', name: 'program', flags: [], args: [] },
    { what: 'a program of 100 threads', name: 'threads', flags: [], args: ['100'] },
    { what: 'a program whose threads never enter the kernel', name: 'spin', flags: [], args: ['2'] },
    { what: 'a program whose threads are born and joined', name: 'births', flags: [], args: [] },
  ])('restarts $what', async ({ name, flags, args }) => {
    const target = await start(compile(name, { flags }), args);
    for (let time = 0; time < 2; time++) await expectRestarted(target, { driver });
  });

  test('restarts a static Go program', async (context) => {
    needsHere(context, { command: 'fortio' });
    const target = launch('fortio', fortioServer('127.0.0.1:0'), { stdio: 'ignore' });
    for (let time = 0; time < 2; time++) {
      await until('it listens', () => listens(target.pid));
      const before = startTicks(target.pid);
      expect(await restart(target.pid, { driver })).toMatchObject({ outcome: 'restarted', exitCode: 0 });
      expect(startTicks(target.pid)).toBe(before);
      expectFree(target.pid);
    }
    await until('it listens', () => listens(target.pid));
  });

  test('restarts Node, with its threads', async () => {
    const script =
      'console.log("started"); require("readline").createInterface({ input: process.stdin }).on("line", () => console.log("alive"))';
    const target = await start(process.execPath, ['-e', script]);
    for (let time = 0; time < 2; time++) await expectRestarted(target, { driver });
  });

  test('restarts python, and leaves nothing behind that execve lets through', async () => {
    const script = join(import.meta.dirname, '../fixtures/kernel/leaves.py');
    const target = launch('/usr/bin/python3', ['-S', script, 'one', 'two words']);
    const first = await found(target);
    for (let time = 0; time < 2; time++) {
      await target.line(/^left/);
      expect(await restart(target.pid, { driver })).toMatchObject({ outcome: 'restarted', exitCode: 0 });
      expect(await found(target)).toEqual({ ...first, descriptors: [0, 1, 2] });
      expect(readText(`/proc/${target.pid}/status`)).toMatchObject({ content: /^SigBlk:\t0{16}$/m });
    }
  });

  test('starts another program, with arguments, environment and directory of any bytes', async () => {
    const target = await start(compile('program', { flags: ['-DVERSION=1'] }), ['as it was']);
    const other = compile('program', { flags: ['-DVERSION=2', '-static'] });
    const [odd, long] = ['tab\tquote"back\\slash%s$HOME\u00fc\u20ac\u001b[1m\n12', 'x'.repeat(70_000)];
    const cwd = files.directory();
    const answer = await restart(target.pid, { driver, env: [`ODD=${odd}`], cwd, command: [other, odd, '', long] });
    expect(answer).toMatchObject({ outcome: 'restarted', exitCode: 0 });
    expect(answer.result?.after).toEqual({ exe: other, argv: [other, odd, '', long], cwd });
    const [, text = '{}'] = await target.line(/^started (.*"version":2.*)/);
    const said = JSON.parse(text) as Record<'argv' | 'environ', string[]> & { cwd: string };
    expect(said.argv.map(fromHex)).toEqual([other, odd, '', long]);
    expect(said.environ.map(fromHex)).toContain(`ODD=${odd}`);
    expect(said.cwd).toBe(cwd);
    expect(readlinkSync(`/proc/${target.pid}/exe`)).toBe(other);
  });

  test('starts a program from memory', async () => {
    const target = await start(compile('threads'), ['3']);
    await expectRestarted(target, { driver, inMemory: compile('threads', { flags: ['-static'] }) });
    expect(readlinkSync(`/proc/${target.pid}/exe`)).toMatch(/^\/memfd:/);
  });

  test('closes descriptors, but those that are to stay', async () => {
    const passed = ['pipe', 'pipe', 'inherit', 'pipe', 'pipe'] as const;
    const target = await start(compile('threads'), [], { stdio: [...passed] });
    await expectRestarted(target, { driver, keepFds: [4] });
    expect(readdirSync(`/proc/${target.pid}/fd`).map(Number)).toEqual([0, 1, 2, 4]);
  });

  test('kills and collects the children of the old program', async () => {
    const target = await start(compile('family'));
    await target.ask('beget');
    expect((await restart(target.pid, { driver })).result?.children.killed).toBeGreaterThan(0);
    expect((await target.line(/^started children ?(.*)/))[1]).toBe('');
  });

  test('restarts process 1 of another pid and mount namespace', async () => {
    const target = await launchInSandbox(compile('family'));
    await target.line(/^started children/);
    await target.ask('beget');
    await expectRestarted(target, { driver });
  });

  test('restarts a program that was stopped by its user: it runs', async () => {
    const target = await start(compile('threads'), ['3']);
    process.kill(target.pid, 'SIGSTOP');
    await until('it is stopped', () => stateOf(target.pid) === 'T');
    await expectRestarted(target, { driver });
  });

  test('leaves a stopped program stopped when it cannot be restarted', async () => {
    const target = await start(compile('threads'), ['3']);
    process.kill(target.pid, 'SIGSTOP');
    await until('it is stopped', () => stateOf(target.pid) === 'T');
    expect(await restart(target.pid, { driver, ...onlyTheKernelRefuses })).toMatchObject({ outcome: 'unchanged' });
    expect(stateOf(target.pid)).toBe('T');
    process.kill(target.pid, 'SIGCONT');
    expect((await target.ask('there?')).input).toContain('eintr 0');
  });

  test.each([1, 100])('leaves a program of %i threads as it was when the kernel refuses the new one', async (count) => {
    const target = await start(compile('threads'), [String(count)]);
    await expectUnchanged(target, refused, { driver, ...onlyTheKernelRefuses });
  });

  test('leaves it as it was when the new one is missing', async () => {
    const target = await start(compile('beat'));
    await expectUnchanged(target, { code: 'program-not-startable', exitCode: 1 }, { driver, exe: '/nonexistent' });
  });

  test('is not noticed by threads in any system call when a restart fails', async () => {
    const target = await start(compile('waits'));
    for (let time = 0; time < 2; time++)
      expect(await restart(target.pid, { driver, ...onlyTheKernelRefuses })).toMatchObject({ outcome: 'unchanged' });
    target.say('wake');
    await target.line(/^all ended/);
    const ended = target.lines.filter((line) => line.startsWith('ended '));
    expect(ended.length).toBeGreaterThan(10);
    expect(ended.filter((line) => !line.endsWith(' well '))).toEqual([]);
  });

  test.each(['read', 'epoll_wait', 'ppoll', 'sigsuspend', 'nanosleep', 'futex_timed'])(
    'is not noticed by a main thread in %s when a restart fails',
    async (call) => {
      const target = await start(compile('waits'), [call]);
      expect(await restart(target.pid, { driver, ...onlyTheKernelRefuses })).toMatchObject({ outcome: 'unchanged' });
      target.say('wake');
      await target.line(/^all ended/);
      expect(target.lines.filter((line) => line.startsWith('ended ') && !line.endsWith(' well '))).toEqual([]);
    },
  );

  test('adds no signal and loses none when a restart fails', async () => {
    const counting = await start(compile('signal-counts'));
    const sent = await start(compile('rt-signals'));
    for (let time = 0; time < 2; time++) {
      for (const { pid } of [counting, sent])
        expect(await restart(pid, { driver, ...onlyTheKernelRefuses })).toMatchObject({ outcome: 'unchanged' });
    }
    expect((await counting.ask('which signals?')).input).toBe('alive .');
    const [, received, disordered] = await sent.ask('enough', /^alive received (\d+) disordered (\d+)$/);
    expect(disordered).toBe('0');
    expect(Number(received)).toBeGreaterThan(100);
  });

  test('says so when the process ends in the middle', async () => {
    const target = await start(compile('threads'), ['100']);
    for (const delayMs of [0, 60, 120]) {
      const mortal = await start(compile('threads'), ['100']);
      const answer = restart(mortal.pid, { driver });
      await until(
        'hotexec is at work',
        () => stateOf(mortal.pid) !== 'S' || tracerOf(mortal.pid) !== undefined,
        5_000,
      ).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      mortal.child.kill('SIGKILL');
      const { outcome, error } = await answer;
      expect([outcome, error?.code]).toEqual(
        outcome === 'restarted' ? ['restarted', undefined] : ['lost', 'target-lost'],
      );
    }
    await expectRestarted(target, { driver });
  });
});

describe('a gdb that calls functions of the C library', () => {
  needs('root', { command: 'gcc' }, { command: 'musl-gcc' }, { command: 'gdb' });
  const byLibc = { driver: 'gdb', gdbCall: 'libc' } as const;

  test.each([
    { what: 'a program of 100 threads', name: 'threads', flags: [], args: ['100'] },
    { what: 'a program at a fixed address', name: 'threads', flags: ['-no-pie'], args: ['3'] },
    { what: 'a program whose threads never enter the kernel', name: 'spin', flags: [], args: ['2'] },
  ])('restarts $what', async ({ name, flags, args }) => {
    const target = await start(compile(name, { flags }), args);
    for (let time = 0; time < 2; time++) await expectRestarted(target, byLibc);
  });

  test('restarts python, and leaves nothing behind that execve lets through', async () => {
    const script = join(import.meta.dirname, '../fixtures/kernel/leaves.py');
    const target = launch('/usr/bin/python3', ['-S', script, 'one', 'two words']);
    const first = await found(target);
    await target.line(/^left/);
    expect(await restart(target.pid, byLibc)).toMatchObject({ outcome: 'restarted', exitCode: 0 });
    expect(await found(target)).toEqual({ ...first, descriptors: [0, 1, 2] });
  });

  test.each([1, 100])('leaves a program of %i threads as it was when the kernel refuses the new one', async (count) => {
    const target = await start(compile('threads'), [String(count)]);
    await expectUnchanged(target, refused, { ...byLibc, ...onlyTheKernelRefuses });
  });

  test.each(['read', 'epoll_wait', 'sigsuspend', 'nanosleep'])(
    'is not noticed by a main thread in %s when a restart fails',
    async (call) => {
      const target = await start(compile('waits'), [call]);
      expect(await restart(target.pid, { ...byLibc, ...onlyTheKernelRefuses })).toMatchObject({ outcome: 'unchanged' });
      target.say('wake');
      await target.line(/^all ended/);
      expect(target.lines.filter((line) => line.startsWith('ended ') && !line.endsWith(' well '))).toEqual([]);
    },
  );

  test.each([
    ['', []],
    [' at a fixed address', ['-no-pie']],
  ])('restarts a program of musl%s', async (_, flags) => {
    const target = await start(compile('threads', { compiler: 'musl-gcc', flags }), ['3']);
    for (let time = 0; time < 2; time++) await expectRestarted(target, byLibc);
    await expectUnchanged(target, refused, { ...byLibc, ...onlyTheKernelRefuses });
  });

  test('is refused where there is none', async () => {
    const target = await start(compile('threads', { flags: ['-static'] }), ['3']);
    const answer = await expectUnchanged(target, { code: 'gdb-impossible', exitCode: 5 }, byLibc);
    expect(answer.error?.hint).toContain('--gdb-call syscall');
  });
});

describe('the driver gdb', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test('is refused where there is no gdb', async () => {
    const target = await start(compile('beat'));
    const variables = { PATH: '/nonexistent' };
    const answer = await expectUnchanged(target, { code: 'gdb-missing', exitCode: 5 }, { driver: 'gdb', variables });
    expect(answer.error?.hint).toContain('apt install gdb');
  });

  test.each([
    ['is older than 9', 'GNU gdb (Ubuntu 8.1.1-0ubuntu1) 8.1.1'],
    ['is none', 'command not found'],
  ])('is refused where gdb %s', async (_, says) => {
    const directory = files.directory();
    execFileSync('sh', ['-c', `cat > ${directory}/gdb; chmod +x ${directory}/gdb`], {
      input: `#!/bin/sh\nwhile read line; do echo '~"${says}\\n"'; echo "\${line%%-*}^done"; done\n`,
    });
    const target = await start(compile('beat'));
    const variables = { PATH: `${directory}:${process.env['PATH'] ?? ''}` };
    await expectUnchanged(target, { code: 'gdb-missing', exitCode: 5 }, { driver: 'gdb', variables });
  });

  test('is refused for a process whose main thread has ended', async () => {
    const target = await start(compile('zombie-leader'));
    await until('the leader is a zombie', () => stateOf(target.pid) === 'Z');
    expect(await plan(target.pid, { driver: 'gdb' })).toMatchObject({ exitCode: 5, error: { code: 'gdb-impossible' } });
    expect(await restart(target.pid, { driver: 'gdb' })).toMatchObject({ error: { code: 'gdb-impossible' } });
    await target.ask('there?');
  });
});
