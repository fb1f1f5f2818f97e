// What replace, and the flags that restart shares with it, ask of the engine.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { runCli, type CliRun, type CliSetting } from '../../support/cli.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { restartResult } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('replace', () => {
  it('asks for the same program with the file in the place of its executable', async () => {
    const cwd = files();
    const { exitCode, requests } = await hotexec(['replace', '77', '--with', './app'], { cwd });
    expect(exitCode).toBe(0);
    expect(requests).toMatchObject([
      {
        kind: 'restart',
        program: { ...sameProgram, replacement: { source: join(cwd, 'app'), inMemory: 'auto' } },
        options: defaultRestartOptions,
      },
    ]);
  });

  it('takes what follows -- for the arguments after argv[0], also none', async () => {
    const cwd = files();
    const [some, none] = await Promise.all([
      hotexec(['replace', '77', '--with', 'app', '--', '--listen', ':80', '--'], { cwd }),
      hotexec(['replace', '77', '--with', 'app', '--'], { cwd }),
    ]);
    expect(some.requests[0]).toMatchObject({ program: { command: null, args: ['--listen', ':80', '--'] } });
    expect(none.requests[0]).toMatchObject({ program: { command: null, args: [] } });
  });

  it('holds every flag', async () => {
    const cwd = files();
    const copies = ['--copy', 'a:b.conf:/etc/app/', '--copy', 'conf:/srv/conf', '--chown', '101:0', '--allow-volume'];
    const program = ['--env', 'HOME', '--unset-env', 'B', '--cwd', '/srv', '--from', 'spec', '--in-memory'];
    const watch = ['--probation', '1m', '--probe', 'http://localhost:8080/healthz', '--no-rollback'];
    const argv = ['replace', 'pid/77', '--with', 'app', ...copies, ...program, ...watch, '--timeout', '2m'];
    const { requests } = await hotexec(argv, { cwd, env: { HOME: '/root' } });
    expect(requests[0]).toMatchObject({
      program: {
        ...sameProgram,
        from: 'spec',
        cwd: '/srv',
        replacement: { source: join(cwd, 'app'), inMemory: 'always' },
        files: [
          {
            source: join(cwd, 'a:b.conf'),
            destination: '/etc/app/a:b.conf',
            owner: { uid: 101, gid: 0 },
            allowVolume: true,
          },
          { source: join(cwd, 'conf'), destination: '/srv/conf', owner: { uid: 101, gid: 0 }, allowVolume: true },
        ],
        env: { standsAlone: false, set: [['HOME', '/root']], unset: ['B'] },
      },
      options: {
        ...defaultRestartOptions,
        timeoutMs: 120_000,
        probationMs: 60_000,
        probe: { kind: 'http', host: '127.0.0.1', port: 8080, path: '/healthz' },
        rollback: false,
      },
    });
  });

  it('may insist on the disk', async () => {
    const { requests } = await hotexec(['replace', '77', '--with', 'app', '--on-disk'], { cwd: files() });
    expect(requests[0]).toMatchObject({ program: { replacement: { inMemory: 'never' } } });
  });

  it('is a plan for plan replace, and with --dry-run', async () => {
    const cwd = files();
    const [one, other] = await Promise.all([
      hotexec(['plan', 'replace', '77', '--with', 'app', '--', '-x'], { cwd }),
      hotexec(['replace', '--dry-run', '77', '--with', 'app', '--', '-x'], { cwd }),
    ]);
    expect(one.requests).toMatchObject([
      { kind: 'plan', program: { args: ['-x'], replacement: { inMemory: 'auto' } } },
    ]);
    expect(other.requests).toEqual([{ ...one.requests[0], operationId: expect.any(String) as string }]);
    expect(one.stdout).toBe(other.stdout);
  });
});

describe('restart', () => {
  it('brings files and is watched as a replacement is', async () => {
    const cwd = files();
    const flags = ['--copy', './conf:/etc/app', '--chown', '7', '--probation', '0', '--no-drain'];
    const { requests } = await hotexec(['restart', '77', ...flags, '--', 'app', '-x'], { cwd });
    expect(requests[0]).toMatchObject({
      program: {
        ...sameProgram,
        command: ['app', '-x'],
        files: [{ source: join(cwd, 'conf'), destination: '/etc/app', owner: { uid: 7, gid: 7 }, allowVolume: false }],
      },
      options: { ...defaultRestartOptions, probationMs: 0, drain: false },
    });
  });

  it('of a new program that fails exits 3, and says how it ended', async () => {
    const { exitCode, stdout, stderr } = await hotexec(['restart', '77', '--no-drain'], { engines: ['rolls back'] });
    expect(exitCode).toBe(3);
    expect(stdout).toContain('docker/web is back on its previous program: the new one failed\n');
    expect(stdout).toContain('  new program  exited with 1, 310 ms after its start\n');
    expect(stderr).toBe(
      'error: docker/web: the new program exited with 1, 310 ms after its start. The previous program was started again in its place and runs.\n' +
        'hint: what it said is in its log; --no-rollback lets a failing program end\n',
    );
  });

  it('tells of it as an event, and in the document', async () => {
    const { stdout } = await hotexec(['restart', '77', '-o', 'jsonl'], { engines: ['rolls back'] });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const end = { exitCode: 1, signal: null, reason: 'exit', afterMs: 310.4 };
    expect(lines).toMatchObject([
      { kind: 'failed', end },
      { outcome: 'rolled-back', failed: end, pid: restartResult.pid },
    ]);
  });
});

describe('bad usage of a replacement exits 2, before an engine is asked', () => {
  const copyWants = 'For example: --copy ./nginx.conf:/etc/nginx/nginx.conf';
  const chownWants =
    "Numbers, as inside the container: names would have to be looked up in the image's own files, which need not be there.";

  it.each<[readonly string[], string, string | null]>([
    [['replace', '1'], "Required option '--with <FILE>' not specified.", 'hotexec replace --help shows what there is.'],
    [['replace', '1', '--with', 'nowhere'], '--with "nowhere" cannot be read: there is no such file here.', null],
    [['replace', '1', '--with', ''], '--with names no file.', 'name the executable file'],
    [['replace', '1', '--with', 'conf'], '--with "conf" is a directory.', 'name the executable file'],
    [['replace', '1', '--with', 'empty'], '--with "empty" is empty.', null],
    [['replace', '1', '--with', '/dev/null'], '--with "/dev/null" is not a regular file.', 'name the executable file'],
    [
      ['replace', '1', '--with', 'app', '--in-memory', '--on-disk'],
      "Option '--in-memory' cannot be used with option '--on-disk'.",
      'hotexec replace --help shows what there is.',
    ],
    [['restart', '1', '--with', 'app'], "Unknown option '--with'.", 'hotexec restart --help shows what there is.'],
    [['restart', '1', '--copy', 'app'], '--copy "app" is not SRC:DEST with a DEST that begins with /.', copyWants],
    [['restart', '1', '--copy', 'app:x'], '--copy "app:x" is not SRC:DEST with a DEST that begins with /.', copyWants],
    [['restart', '1', '--copy', ':/x'], '--copy ":/x" is not SRC:DEST with a DEST that begins with /.', copyWants],
    [['restart', '1', '--copy', 'no:/x'], '--copy "no" cannot be read: there is no such file here.', null],
    [
      ['restart', '1', '--copy', 'app:/a/../../x'],
      '--copy: the destination "/a/../../x" must not go up with "..".',
      null,
    ],
    [
      ['restart', '1', '--copy', 'app:/x', '--copy', 'conf:/x'],
      '--copy: two sources have the one destination "/x".',
      null,
    ],
    [
      ['restart', '1', '--chown', '1'],
      '--chown is for what --copy brings, and there is no --copy.',
      'The file that --with brings gets owner and mode of the one it replaces.',
    ],
    [
      ['restart', '1', '--allow-volume'],
      '--allow-volume is for --copy, and there is no --copy.',
      'An executable on a volume is not replaced there: --with keeps the new one in memory then.',
    ],
    ...['www', '1:2:3', ':1', '1:', '-1', '4294967295', ''].map((owner): [readonly string[], string, string] => [
      ['restart', '1', '--copy', 'app:/x', '--chown', owner],
      `--chown ${JSON.stringify(owner)} is not UID or UID:GID.`,
      chownWants,
    ]),
    [['restart', '1', '--probation', '5'], '--probation "5" is not a duration.', 'For example: 5s, 1m30s; 0 for none'],
    [['restart', '1', '--probation', '2h'], '--probation 2h is out of range: 0 to 1h.', null],
    [
      ['restart', '1', '--probe', 'tcp:1.2.3.4:5', '--probation', '0s'],
      '--probe is made while the new program is watched, and --probation 0 watches nothing.',
      null,
    ],
    [
      ['restart', '1', '--probe', 'localhost:80'],
      'The probe "localhost:80" is neither http://HOST[:PORT]/PATH nor tcp:HOST:PORT.',
      'For example: http://localhost:8080/healthz, tcp:127.0.0.1:6379',
    ],
    [
      ['restart', '1', '--probe', 'https://localhost/'],
      'A probe is not made by https: hotexec would have to know whom to trust there.',
      'Probe http://HOST[:PORT]/PATH, or tcp:HOST:PORT, which is answered once the program accepts the connection.',
    ],
    [['restart', '1', '--env', '=x'], '--env wants NAME=VALUE or NAME, and got no name.', null],
    [['plan'], 'plan wants to know what to plan.', 'hotexec plan restart TARGET'],
  ])('%j', async (argv, message, hint) => {
    const stderr = `error: ${message}\n${hint === null ? '' : `hint: ${hint}\n`}`;
    expect(await runCli(argv, { cwd: files() })).toEqual({ exitCode: 2, stdout: '', stderr, requests: [] });
  });

  it('also as a plan', async () => {
    const run = await runCli(['plan', 'replace', '1', '--with', 'nowhere'], { cwd: files() });
    expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
  });

  it('for what is on a machine, which kubectl hotexec does not reach', async () => {
    const argv = ['replace', 'docker/web', '--with', 'app'];
    const run = await runCli(argv, { program: 'kubectl-hotexec', cwd: files() });
    expect(run).toMatchObject({ exitCode: 2, requests: [] });
    expect(run.stderr).toMatch(
      /^error: "docker\/web" is on a machine, and kubectl hotexec reaches what is in a cluster.\n/,
    );
  });
});

function files(): string {
  const cwd = tempDirectory();
  writeFileSync(join(cwd, 'app'), 'x');
  writeFileSync(join(cwd, 'empty'), '');
  writeFileSync(join(cwd, 'a:b.conf'), '');
  mkdirSync(join(cwd, 'conf'));
  return cwd;
}

async function hotexec(argv: readonly string[], setting: CliSetting = {}): Promise<CliRun> {
  const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
  return runCli(argv, { engines: ['works'], proc, ...setting });
}
