// A probation that something else than the new program ends: its listeners, a stop from outside, a kill, Ctrl-C; and one without a way back.
import { copyFileSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../support/kernel/compile.ts';
import { patched, temporaryDirectory } from '../support/kernel/files.ts';
import { expectFree } from '../support/kernel/in-place.ts';
import { expectRolledBack, tryProgram } from '../support/kernel/probation.ts';
import { launchInSandbox } from '../support/kernel/sandbox.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const ends = (...words: readonly (string | number)[]): readonly string[] => [compile('ends'), ...words.map(String)];

/** It listens on a port that the kernel has chosen. */
async function startServer(): Promise<{ readonly target: Target; readonly port: string }> {
  const target = await start(compile('serves'), ['0', '0']);
  const port = /^started (\d+)/.exec(target.lines.find((line) => line.startsWith('started')) ?? '')?.[1] ?? '';
  return { target, port };
}

async function startInit(): Promise<Target> {
  const target = await launchInSandbox(compile('serves'), ['0', '0']);
  await target.line(/^started/);
  return target;
}

describe('the probation of a server', () => {
  needs('root', { command: 'gcc' });

  test('is over when the new one listens again', async () => {
    const { target, port } = await startServer();
    const result = await tryProgram(target.pid, { command: [compile('serves'), port, '300'] });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'listening' } });
    expect(result.probation.ms).toBeGreaterThan(250);
    expect(result.timingsMs['toFirstListen']).toBeGreaterThan(250);
    expectFree(target.pid);
    await target.ask('are you there?');
  });

  test('catches an exit with 0: it is not meant to end', async () => {
    const { target } = await startServer();
    await expectRolledBack(target, { exitCode: 0, reason: 'exit' }, { command: ends('exit', 0), probationMs: 600 });
  });

  test('catches a port that is taken', async () => {
    const { target } = await startServer();
    const other = await startServer();
    const command = [compile('serves'), other.port, '0'];
    await expectRolledBack(target, { exitCode: 1, reason: 'exit' }, { command, probationMs: 600 });
  });

  test('is over when nothing listens again within its time', async () => {
    const { target } = await startServer();
    const result = await tryProgram(target.pid, { command: ends('hang'), probationMs: 500 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'time' } });
    expectFree(target.pid);
  });

  test('catches an exit of one that listens already, when its system calls are not traced any more', async () => {
    const { target, port } = await startServer();
    const command = [compile('serves'), port, '150', 'exit', '3'];
    const result = await tryProgram(target.pid, { command, probationMs: 5_000 });
    expect(result).toMatchObject({ outcome: 'rolled-back', failed: { exitCode: 3 } });
  });
});

describe('a new program on probation', () => {
  needs('root', { command: 'gcc' });

  test.each<[where: string, start: () => Promise<Target>]>([
    ['a process', () => start(compile('serves'), ['0', '0'])],
    ['process 1 of a container', startInit],
  ])('that is stopped from outside (%s) gets its SIGTERM and ends its own way', async (_, startOld) => {
    const target = await startOld();
    const result = await tryProgram(target.pid, {
      command: [compile('serves'), '0', '5000'],
      at: { probation: () => void target.line(/^began$/).then(() => process.kill(target.pid, 'SIGTERM')) },
    });
    expect(result).toMatchObject({ outcome: 'stopped', error: { code: 'stopped-by-other' } });
    await target.line(/^stopped cleanly/);
    await until('it has ended', () => target.child.exitCode !== null);
    expect(target.child.exitCode).toBe(0);
  });

  test('may be sent a SIGTERM by its own child: that is no stop', async () => {
    const target = await start(compile('threads'));
    await expectRolledBack(target, { signal: 'SIGTERM', reason: 'signal' }, { command: ends('child-term') });
  });

  test.each([
    ['is killed from outside', ends('hang'), 'was killed by SIGKILL'],
    ['is killed by its own seccomp filter', ends('after', 50, 'seccomp'), 'was killed by SIGSYS'],
  ])('that %s is lost, and that is said', async (what, command, how) => {
    const target = await start(compile('threads'));
    const kill = (): void => void target.line(/^began/).then(() => process.kill(target.pid, 'SIGKILL'));
    const at = what.includes('outside') ? { probation: kill } : {};
    const result = await tryProgram(target.pid, { command, probationMs: 5_000, at });
    expect(result).toMatchObject({ outcome: 'lost', error: { code: 'target-lost' }, probation: { end: 'cut-short' } });
    expect(result.error?.message).toContain(how);
  });

  test('stays when hotexec is asked to stop (Ctrl-C)', async () => {
    const target = await start(compile('threads'));
    const interrupt = new AbortController();
    const result = await tryProgram(target.pid, {
      command: [compile('threads'), '3'],
      probationMs: 20_000,
      signal: interrupt.signal,
      at: { probation: () => interrupt.abort() },
    });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'cut-short' }, error: null });
    expect(result.probation.ms).toBeLessThan(5_000);
    await target.line(/^started/);
    expectFree(target.pid);
    await target.ask('are you there?');
  });

  test('stays untraced when the engine is killed', async () => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, {
      command: [compile('threads'), '3'],
      probationMs: 20_000,
      at: { probation: (engine) => void target.line(/^started/).then(() => process.kill(engine, 'SIGKILL')) },
    });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'cut-short' } });
    expectFree(target.pid);
    expect((await target.ask('are you there?')).input).toContain('eintr 0');
  });

  test('ends as it would with --no-rollback', async () => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, { command: ends('after', 200, 'exit', 9), rollback: false });
    expect(result).toMatchObject({ outcome: 'lost', error: { code: 'target-lost' } });
    await target.end();
    expect(target.child.exitCode).toBe(9);
  });

  test('is not watched with --probation 0', async () => {
    const target = await start(compile('threads'));
    const result = await tryProgram(target.pid, { command: ends('after', 200, 'exit', 9), probationMs: 0 });
    expect(result).toMatchObject({ outcome: 'restarted', probation: { end: 'none', ms: 0 } });
    await target.line(/^began/);
    expectFree(target.pid);
  });
});

describe('the way back', () => {
  needs('root', { command: 'gcc' });

  test('is there where the file of the previous program is gone from disk: it was kept open', async () => {
    const path = patched(compile('threads'), () => {});
    const target = await start(path);
    rmSync(path);
    const result = await tryProgram(target.pid, { command: ends('after', 200, 'exit', 9) });
    expect(result).toMatchObject({ outcome: 'rolled-back', failed: { exitCode: 9 } });
    expect(readlinkSync(`/proc/${target.pid}/exe`)).toBe(`${path} (deleted)`);
  });

  test('is cut where the previous program vanishes meanwhile: the process ends as it would have', async () => {
    const path = patched(compile('threads'), () => {});
    const target = await start(path);
    const command = ends('after', 400, 'exit', 9);
    const result = await tryProgram(target.pid, { command, at: { probation: () => rmSync(path) } });
    expect(result).toMatchObject({ outcome: 'lost', failed: { exitCode: 9 }, error: { code: 'target-lost' } });
    expect(result.error?.message).toContain('could not be started again');
    await target.end();
    expect(target.child.exitCode).toBe(9);
  });

  test('ends where the previous program fails too, which is said', async () => {
    const path = join(temporaryDirectory(), 'program');
    copyFileSync(compile('threads'), path);
    const target = await start(path, ['1']);
    const spoil = (): void => {
      copyFileSync('/bin/false', `${path}.new`);
      renameSync(`${path}.new`, path);
    };
    const command = ends('after', 400, 'exit', 9);
    const result = await tryProgram(target.pid, { command, at: { probation: spoil } });
    expect(result).toMatchObject({ outcome: 'lost', failed: { exitCode: 9 }, error: { code: 'target-lost' } });
    expect(result.error?.message).toContain('the previous program');
    await target.end();
    expect(target.child.exitCode).toBe(1);
  });

  test.each(['kill', 'keep'] as const)('is open for a large program (--children %s)', async (children) => {
    const target = await start(compile('large'), ['200']);
    const command = ends('after', 200, 'exit', 1);
    await expectRolledBack(target, { exitCode: 1 }, { command, children, probationMs: 600 });
    expect(target.lines.at(-1)).toBe('alive eintr 0 signals 0 children 0');
  });
});
