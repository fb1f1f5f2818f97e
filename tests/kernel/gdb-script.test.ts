// What `plan restart --format gdb` prints does what it says when a real gdb runs it, and never hangs (kernel: a tracer must reap the threads
// that an exec ends; gdb with `stepi` or an asynchronous target does not always).
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { childrenOf as childrenOfThread } from '../../src/engine/descendants.ts';
import { parseStatus } from '../../src/procfs/status.ts';
import { codeOf } from '../support/kernel/code.ts';
import { compile } from '../support/kernel/compile.ts';
import { directory, file, temporaryDirectory } from '../support/kernel/files.ts';
import { runScript, scriptFor } from '../support/kernel/gdb.ts';
import { found, fromHex } from '../support/kernel/found.ts';
import { expectFree, startTicks } from '../support/kernel/in-place.ts';
import { launchInSandbox } from '../support/kernel/sandbox.ts';
import { expectAsBefore, settled } from '../support/kernel/snapshot.ts';
import { launch, start, type Target } from '../support/kernel/target.ts';
import { fortioServer, listens } from '../support/kernel/serving.ts';
import { needs, needsHere } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const times = often(10, 3);

async function expectRestarted(target: Target, flags: readonly string[] = [], attached = false): Promise<void> {
  const before = startTicks(target.pid);
  const script = await scriptFor(target.pid, flags);
  const { code, output } = await runScript(script, attached ? { attached: target.pid } : {});
  expect(code === 0 ? '' : `${code}: ${output}`).toBe('');
  expect(output).toContain(`Process ${target.pid} runs the new program.`);
  expect(startTicks(target.pid)).toBe(before);
  expectFree(target.pid);
}

describe('a gdb script', () => {
  needs('root', { command: 'gcc' }, { command: 'gdb' });

  test.each([
    { what: 'a static program', name: 'program', flags: ['-static'], args: [] },
    { what: 'a dynamic program of 30 threads', name: 'threads', flags: [], args: ['30'] },
    { what: 'a static program of 30 threads', name: 'threads', flags: ['-static'], args: ['30'] },
    { what: 'a program whose threads never enter the kernel', name: 'spin', flags: [], args: ['2'] },
  ])(`restarts $what ${times} times`, { timeout: 120_000 }, async ({ name, flags, args }) => {
    const target = await start(compile(name, { flags }), args);
    for (let time = 0; time < times; time++) {
      await expectRestarted(target, [], time % 2 === 1);
      await target.line(/^started/);
      await target.ask('there?');
      expect(parseStatus(readFileSync(`/proc/${target.pid}/status`, 'latin1')).sigBlk ?? 0n).toBe(0n);
    }
  });

  test(`restarts fortio, a static Go program, ${times} times`, { timeout: 120_000 }, async (context) => {
    needsHere(context, { command: 'fortio' });
    const target = launch('fortio', fortioServer('127.0.0.1:0'), { stdio: 'ignore' });
    for (let time = 0; time < times; time++) {
      await until('it listens', () => listens(target.pid));
      await expectRestarted(target, [], time % 2 === 1);
    }
    await until('it listens', () => listens(target.pid));
  });

  test(
    `restarts python ${times} times, and leaves nothing behind that execve lets through`,
    { timeout: 120_000 },
    async () => {
      const script = join(import.meta.dirname, '../fixtures/kernel/leaves.py');
      const target = launch('/usr/bin/python3', ['-S', script, 'one', 'two words']);
      const first = await found(target);
      for (let time = 0; time < times; time++) {
        await target.line(/^left/);
        await expectRestarted(target, [], time % 2 === 1);
        expect(await found(target)).toEqual({ ...first, descriptors: [0, 1, 2] });
      }
      await target.line(/^left/);
      expect((await target.ask('there?', /^alive (\d+)/))[1]).toBe(String(target.pid));
    },
  );

  // It has overwritten its arguments and its environment, and has children.
  test(`restarts nginx ${times} times`, { timeout: 120_000 }, async (context) => {
    needsHere(context, { command: 'nginx' });
    const [socket, pidFile] = ['socket', 'pid'].map((name) => join(temporaryDirectory(), name));
    const configuration = file(
      `daemon off; pid ${pidFile}; error_log stderr crit; events {} http { access_log off; server { listen unix:${socket}; } }`,
      0o644,
    );
    const environment = file('PATH=/usr/bin\n', 0o644);
    const target = launch('nginx', ['-c', configuration], { env: { PATH: process.env['PATH'] } });
    // A master that is killed leaves its workers.
    onTestFinished(() => {
      const workers = childrenOf(target.pid);
      for (const pid of [target.pid, ...workers]) process.kill(pid, 'SIGKILL');
    });
    const again = ['--show-env', '--env-file', environment, '--', '/usr/sbin/nginx', '-c', configuration];
    for (let time = 0; time < times; time++) {
      await until('it has its workers', () => childrenOf(target.pid).length > 0);
      const workers = childrenOf(target.pid);
      rmSync(socket ?? '');
      await expectRestarted(target, again, time % 2 === 1);
      await until('it listens', () => existsSync(socket ?? ''));
      expect(childrenOf(target.pid).some((child) => workers.includes(child))).toBe(false);
    }
  });

  test('writes what is new, with any bytes: program, arguments, environment, directory', async () => {
    const target = await start(compile('program', { flags: ['-DVERSION=1'] }), ['as it was']);
    const long = 'x'.repeat(70_000);
    const odd = 'tab\tquote"back\\slash%s$HOME\u00fc\u20ac\u001b[1m\n12';
    const other = compile('program', { flags: ['-DVERSION=2', '-static'] });
    const cwd = directory();
    await expectRestarted(target, ['--show-env', '--env', `ODD=${odd}`, '--cwd', cwd, '--', other, odd, '', long]);
    const [, text = '{}'] = await target.line(/^started (.*"version":2.*)/);
    const said = JSON.parse(text) as Record<'argv' | 'environ' | 'path', string[]> & { cwd: string };
    expect(said.argv.map(fromHex)).toEqual([other, odd, '', long]);
    expect(said.environ.map(fromHex)).toContain(`ODD=${odd}`);
    expect(said.environ).toHaveLength(Object.keys(process.env).length + 1);
    expect(said.cwd).toBe(cwd);
    expect(readlinkSync(`/proc/${target.pid}/exe`)).toBe(other);
  });

  test('kills and collects the children of the old program', async () => {
    const target = await start(compile('family'));
    await target.ask('beget');
    await expectRestarted(target);
    expect((await target.line(/^started children ?(.*)/))[1]).toBe('');
  });

  test('that the kernel refuses leaves the old program as it was', async () => {
    const target = await start(compile('threads'), ['3']);
    const before = await settled(target.pid);
    // An argument of more than 128 KiB: E2BIG.
    const script = await scriptFor(target.pid, [
      '--show-env',
      '--env-file',
      file(`TOO_LONG=${'x'.repeat(140_000)}\n`, 0o644),
    ]);
    const { code, output } = await runScript(script);
    expect(output).toContain('execve = -7');
    expect(output).toContain('The old program runs on.');
    expect(code).toBe(1);
    await expectAsBefore(target.pid, before);
    expect((await target.ask('there?')).input).toContain('eintr 0');
  });

  test('restarts process 1 of another pid and mount namespace, with its children', async () => {
    const target = await launchInSandbox(compile('family'));
    await target.line(/^started children/);
    await target.ask('beget');
    await expectRestarted(target);
    expect((await target.line(/^started children ?(.*)/))[1]).toBe('');
    await target.ask('beget');
    await expectRestarted(target, [], true);
    expect((await target.line(/^started children ?(.*)/))[1]).toBe('');
  });

  test('that is killed between two calls leaves the old program running, and no byte of its code changed', async () => {
    const target = await start(compile('threads'), ['3']);
    const code = codeOf(target.pid);
    const calls =
      (await scriptFor(target.pid)).split('execve: the point of no return')[0]?.match(/^printf .*$/gm) ?? [];
    expect(calls.length).toBeGreaterThan(1);
    for (let time = 0; time < calls.length; time++) {
      // The parent of what gdb's `shell` starts is gdb.
      let call = 0;
      const script = (await scriptFor(target.pid)).replaceAll(/^printf .*$/gm, (line) =>
        call++ === time ? 'shell kill -KILL $PPID' : line,
      );
      expect((await runScript(script)).code).toBe(null);
      expectFree(target.pid);
      expect((await target.ask('there?')).input).toContain('eintr 0');
      expect(codeOf(target.pid)).toEqual(code);
    }
    await expectRestarted(target);
    await target.line(/^started/);
    await target.ask('there?');
  });

  test('does not touch a process that has got the pid since: its start time is another', async () => {
    const target = await start(compile('threads'));
    const ticks = startTicks(target.pid);
    const script = await scriptFor(target.pid);
    expect(script).toContain(`= ${ticks}\n`);
    const { code, output } = await runScript(script.replace(`= ${ticks}\n`, `= ${ticks - 1}\n`));
    expect(code).toBe(1);
    expect(output).toContain('Nothing was touched');
    expectFree(target.pid);
    await target.ask('there?');
    expect(target.lines.filter((line) => line.startsWith('started'))).toHaveLength(1);
  });

  test('without --show-env has no value of a variable, and says so when it cannot run for that', async () => {
    const target = await start(compile('program'), [], { env: { SECRET: 'hunter2', KEPT: 'swordfish' } });
    const same = await scriptFor(target.pid);
    const changed = await scriptFor(target.pid, ['--env', 'SECRET=correct horse']);
    for (const script of [same, changed]) expect(script).not.toMatch(/hunter2|swordfish|correct horse/);
    const { code, output } = await runScript(changed);
    expect(code).toBe(1);
    expect(output).toContain('--show-env');
    await target.ask('there?');
    expect((await runScript(same)).code).toBe(0);
    const { environ } = await found(target);
    expect(environ.map(fromHex)).toEqual(['SECRET=hunter2', 'KEPT=swordfish']);
  });
});

function childrenOf(pid: number): readonly number[] {
  return childrenOfThread(pid, pid);
}
