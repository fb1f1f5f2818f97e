import { describe, expect, it, vi } from 'vitest';
import { renderHistory } from '../../../src/cli/render/history-text.ts';
import { styleFor } from '../../../src/cli/render/style.ts';
import { runCli, type CliRun, type CliSetting } from '../../support/cli.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { history, restartResult } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('rollback', () => {
  it('asks for the previous version, and the engine knows what that is', async () => {
    const { exitCode, stdout, requests } = await rollback(['77']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^docker\/web restarted in place\n/);
    expect(requests).toMatchObject([
      { kind: 'restart', program: { version: 'previous', command: null, files: [] }, options: { timeoutMs: 30_000 } },
    ]);
  });

  it('asks for one version, with the flags of restart that say how', async () => {
    const flags = ['--to', '3', '--children', 'keep', '--keep-fd', '7', '--force', '--timeout', '5s', '--no-drain'];
    const watching = ['--probation', '3s', '--probe', 'tcp:127.0.0.1:80', '--no-rollback', '--no-handover'];
    const { stderr, requests } = await rollback(['77', ...flags, ...watching]);
    expect(stderr).toBe('');
    expect(requests).toMatchObject([
      {
        program: { version: 3 },
        options: {
          keepFds: [7],
          children: 'keep',
          force: true,
          timeoutMs: 5000,
          drain: false,
          handover: false,
          probationMs: 3000,
          probe: { kind: 'tcp', host: '127.0.0.1', port: 80 },
          rollback: false,
        },
      },
    ]);
  });

  it('is a plan with --dry-run', async () => {
    const { requests } = await rollback(['77', '--to', '3', '--dry-run']);
    expect(requests).toMatchObject([{ kind: 'plan', program: { version: 3 } }]);
  });

  it('is the document of a restart with -o json', async () => {
    expect(JSON.parse((await rollback(['77', '-o', 'json'])).stdout)).toEqual(restartResult);
  });

  it('exits 5 when there is no such version, and says which there are', async () => {
    expect(await rollback(['77', '--to', '9'], { engines: ['knows no version'] })).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('error: There is no version 9.\nhint: There is 1.\n') as string,
    });
  });

  it.each([
    [['--to', '0'], '--to "0" is not the number of a version.'],
    [['--to', 'one'], '--to "one" is not the number of a version.'],
    [['--list', '--to', '1'], '--list goes back to nothing: it takes no --to and no --dry-run.'],
    [['--list', '--dry-run'], '--list goes back to nothing: it takes no --to and no --dry-run.'],
    [['--', 'sh'], 'rollback takes no command after --.'],
  ])('%j is bad usage', async (flags, message) => {
    const run = await runCli(['rollback', '77', ...flags]);
    expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
    expect(run.stderr).toContain(`error: ${message}\n`);
  });
});

describe('rollback --list', () => {
  it('asks for the record alone', async () => {
    const { exitCode, stdout, requests } = await rollback(['77', '--list']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^docker\/web \(pid 4711, container 3f9a0c1d2e4b \(web, docker\)\)\n/);
    expect(requests).toEqual([
      { kind: 'history', operationId: expect.any(String) as string, target: expect.any(Object) as object },
    ]);
  });

  it('is the document with -o json', async () => {
    expect(JSON.parse((await rollback(['77', '--list', '-o', 'json'])).stdout)).toEqual(history);
  });
});

it('the record as a table', () => {
  vi.stubEnv('TZ', 'UTC');
  const text = renderHistory(history, { style: styleFor({ colours: false }), now: new Date('2026-11-26T12:01:00Z') });
  vi.unstubAllEnvs();
  expect(text).toBe(String.raw`docker/web (pid 4711, container 3f9a0c1d2e4b (web, docker))
  N  STARTED                               BY     STATE                              PROGRAM
  4  2026-11-26 12:00:30 (30 s ago)        ada    failed: exit code 1 after 12.5 ms  nginx -c '/tmp/bad conf'
      file /tmp/bad conf  sha256 abababababab
      removed /etc/nginx/conf.d/default.conf
      cannot be gone back to: it failed, and its files were put back
* 3  2026-11-26 11:00:00 (1 h ago)         grace  running                            nginx -g 'daemon off;'
      back to version 1
  2  2026-11-25 11:00:00 (1 d ago)         grace  ended                              $'\x1b[2Jweb'
      executable /opt/app
      file /opt/app  sha256 cdcdcdcdcdcd
      cannot be gone back to: /opt/app as it was then is not kept any more
  1  before 2026-11-25 11:00:00 (1 d ago)  -      replaced                           nginx -g 'daemon off;'
`);
});

async function rollback(words: readonly string[], setting: CliSetting = {}): Promise<CliRun> {
  const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
  return runCli(['rollback', ...words], { engines: ['works'], proc, ...setting });
}
