import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

const self = String(process.pid);

describe('--format gdb', () => {
  it.each([
    ['of a restart', ['restart', self, '--format', 'gdb']],
    ['of a restart, with --show-env alone', ['restart', self, '--show-env']],
    [
      'of a replacement, whose file nobody would bring',
      ['plan', 'replace', self, '--with', '/bin/true', '--format', 'gdb'],
    ],
    ['with files to copy', ['plan', 'restart', self, '--copy', '/bin/true:/x', '--format', 'gdb']],
    ['with hooks, which no script runs', ['plan', 'restart', 'pod/web', '--hooks', '--format', 'gdb']],
    ['missing, with --show-env', ['plan', 'restart', self, '--show-env']],
    ['of another kind', ['plan', 'restart', self, '--format', 'lldb']],
  ])('%s is a usage error, and nothing is asked', async (_, argv) => {
    const { exitCode, requests } = await runCli(argv);
    expect(exitCode).toBe(2);
    expect(requests).toEqual([]);
  });

  it.each([
    ['plan restart', ['plan', 'restart', self], false],
    ['--dry-run', ['restart', self, '--dry-run'], false],
    ['--show-env', ['plan', 'restart', self, '--show-env'], true],
  ])('is asked of the engine with %s', async (_, argv, showEnvironment) => {
    const { requests } = await runCli([...argv, '--format', 'gdb'], { engines: ['refuses'] });
    expect(requests).toMatchObject([{ kind: 'plan', gdbScript: { showEnvironment } }]);
  });

  it('prints no plan where there is no script: standard output goes to a file', async () => {
    const { exitCode, stdout, stderr } = await runCli(['plan', 'restart', self, '--format', 'gdb'], {
      engines: ['plans nothing'],
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toContain('It is frozen.');
  });
});
