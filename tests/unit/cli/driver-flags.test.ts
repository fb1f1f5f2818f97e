import { describe, expect, it, vi } from 'vitest';
import { restart, type RestartOptions } from '../../../src/index.ts';
import { defaultRestartOptions } from '../../../src/protocol/request.ts';
import { runCli } from '../../support/cli.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('what holds the target', () => {
  it.each([
    [[], { driver: 'ptrace' }],
    [['--driver', 'ptrace'], { driver: 'ptrace' }],
    [['--driver', 'gdb', '--no-drain'], { driver: 'gdb', drain: false }],
    [['--driver', 'gdb', '--no-drain', '--probation', '0'], { driver: 'gdb', drain: false, probationMs: 0 }],
  ])('%j', async (flags, options) => {
    const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
    const { requests } = await runCli(['restart', '77', ...flags], { engines: ['works'], proc });
    expect(requests).toMatchObject([{ options: { ...defaultRestartOptions, ...options } }]);
  });

  it.each([
    [['--driver', 'gdb'], '--driver gdb needs --no-drain: a gdb cannot follow a program through its shutdown.'],
    [
      ['--driver', 'gdb', '--no-drain', '--probation', '5s'],
      '--driver gdb cannot have --probation: gdb lets the new program go at its first instruction, and nobody watches it.',
    ],
    [
      ['--driver', 'gdb', '--no-drain', '--probe', 'tcp:127.0.0.1:80'],
      '--driver gdb cannot have --probe: gdb lets the new program go at its first instruction, and nobody watches it.',
    ],
  ])('%j is bad usage, before an engine is asked', async (flags, message) => {
    for (const command of [
      ['restart', '77'],
      ['plan', 'restart', '77'],
      ['replace', '77', '--with', '/bin/true'],
    ]) {
      const run = await runCli([...command, ...flags]);
      expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
      expect(run.stderr).toContain(`error: ${message}\n`);
    }
  });

  it.each(['rollback', 'inspect'])('is nothing that %s asks', async (command) => {
    const run = await runCli([command, '77', '--driver', 'gdb']);
    expect(run).toMatchObject({ exitCode: 2, requests: [] });
  });

  it.each<[RestartOptions, string]>([
    [{ driver: 'gdb' }, "driver: 'gdb' needs drain: false"],
    [{ driver: 'gdb', drain: false, probationMs: 5_000 }, "driver: 'gdb' cannot have probationMs"],
    [{ driver: 'gdb', drain: false, probe: 'tcp:127.0.0.1:80' }, "driver: 'gdb' cannot have probe"],
    [{ driver: 'gdb', drain: false, handover: true }, "driver: 'gdb' hands over no listening sockets"],
  ])('of the library, too: %j', async (options, message) => {
    const refused: unknown = await restart('pid/77', options).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'usage' });
    expect(String(refused)).toContain(message);
  });
});
