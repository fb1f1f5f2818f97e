// The command as a process: what only a real one shows.
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

const main = join(import.meta.dirname, '../../../src/cli/main.ts');

it('prints its version', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(hotexec(['--version'])).toMatchObject({ status: 0, stdout: `hotexec ${version}\n`, stderr: '' });
});

it('has no colours in a pipe', () => {
  const { status, stderr } = hotexec(['restart', 'web']);
  expect(status).toBe(2);
  expect(stderr).toBe(
    'error: "web" does not say what it is.\nhint: A Docker container is named docker/web, a pod pod/web.\n',
  );
});

it('knows when it is a plugin of kubectl', () => {
  const path = join(tempDirectory(), 'bin');
  mkdirSync(path);
  symlinkSync(main, join(path, 'kubectl-hotexec'));
  const { status, stdout } = hotexec(['--help'], join(path, 'kubectl-hotexec'));
  expect(status).toBe(0);
  expect(stdout).toContain('  kubectl hotexec COMMAND [flags]');
});

it('does not mind a reader that has gone', async () => {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  expect({ code: await promise, stderr }).toEqual({ code: 0, stderr: '' });
});

function hotexec(argv: readonly string[], program = main): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
}
