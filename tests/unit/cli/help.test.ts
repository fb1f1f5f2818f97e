import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { cliReference } from '../../support/cli-reference.ts';

it('docs/cli.md is what --help says', async () => {
  await expect(await cliReference()).toMatchFileSnapshot('../../../docs/cli.md');
});

describe('help', () => {
  it('goes to standard output and succeeds, also without any argument', async () => {
    const [bare, asked] = await Promise.all([runCli([]), runCli(['--help'])]);
    expect(bare).toEqual(asked);
    expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('names the program as it was called', async () => {
    const { stdout } = await runCli(['inspect', '--help'], { program: 'kubectl-hotexec' });
    expect(stdout).toContain('  kubectl hotexec inspect TARGET [flags]');
  });

  it.each([
    '',
    'restart',
    'replace',
    'rollback',
    'inspect',
    'plan',
    'plan restart',
    'plan replace',
    'doctor',
    'ls',
    'demo',
  ])('of "%s" fits a terminal', async (name) => {
    const { stdout } = await runCli([...name.split(' ').filter(Boolean), '--help']);
    expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
  });
});
