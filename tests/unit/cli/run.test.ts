import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { runCli, type CliSetting } from '../../support/cli.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { inspection, plan, restartResult } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

vi.setConfig({ testTimeout: 60_000 });

const anyId = expect.stringMatching(/^[\da-f]{8}-/) as string;
const bareTarget = { name: 'pid/77', pid: 77, startTicks: 1077, container: null, spec: null };

describe('what the engine is asked', () => {
  it('is by default the same program again', async () => {
    const { requests } = await restart(['restart', '77']);
    expect(requests).toEqual([
      {
        kind: 'restart',
        operationId: anyId,
        target: bareTarget,
        program: sameProgram,
        options: defaultRestartOptions,
      },
    ]);
  });

  it('holds every flag', async () => {
    const flags = [
      '--no-drain',
      '--env',
      'A=1',
      '--env',
      'HOME',
      '--unset-env',
      'B',
      '--unset-env',
      'C',
      '--cwd',
      '/srv',
    ];
    const more = ['--exe', '/bin/app', '--from', 'spec', '--keep-fd', '7', '--keep-fd', '9', '--children', 'keep'];
    const rest = ['--force', '--timeout', '1m30s', '-v', '--', 'app', '--env', 'X=1'];
    const { requests } = await restart(['restart', ...flags, ...more, 'pid/77', ...rest], { env: { HOME: '/root' } });
    expect(requests[0]).toMatchObject({
      program: {
        from: 'spec',
        command: ['app', '--env', 'X=1'],
        exe: '/bin/app',
        cwd: '/srv',
        env: {
          standsAlone: false,
          set: [
            ['A', '1'],
            ['HOME', '/root'],
          ],
          unset: ['B', 'C'],
        },
      },
      options: { keepFds: [7, 9], children: 'keep', force: true, timeoutMs: 90_000, verbose: true },
    });
  });

  it('is a whole environment when a file is given for a bare process', async () => {
    const file = join(tempDirectory(), 'prod.env');
    writeFileSync(file, 'A=1\nB=2\n');
    const { requests } = await restart(['restart', '77', '--env-file', file, '--env', 'B=3']);
    expect(requests[0]).toMatchObject({
      program: {
        env: {
          standsAlone: true,
          set: [
            ['A', '1'],
            ['B', '2'],
            ['B', '3'],
          ],
          unset: [],
        },
      },
    });
  });

  it('may have its variables from standard input', async () => {
    const { requests } = await restart(['restart', '77', '--env-file', '-'], { stdin: 'A=1\n' });
    expect(requests[0]).toMatchObject({ program: { env: { standsAlone: true, set: [['A', '1']] } } });
  });

  it('is a plan for plan restart, and for restart --dry-run', async () => {
    const [one, other] = await Promise.all([
      restart(['plan', 'restart', '77', '--force']),
      restart(['restart', '--dry-run', '77', '--force']),
    ]);
    expect(one.requests).toEqual([{ ...other.requests[0], operationId: anyId }]);
    expect(one.requests[0]).toMatchObject({ kind: 'plan', options: { force: true } });
  });

  it('is to inspect, with or without the values of the environment', async () => {
    const { requests } = await restart(['inspect', '77', '--show-env']);
    expect(requests).toEqual([{ kind: 'inspect', operationId: anyId, target: bareTarget, showEnvironment: true }]);
  });

  it.each(['', '../x', 'a b', 'x'.repeat(65)])('--operation %j is no id, and nobody is asked', async (id) => {
    const { exitCode, stderr, requests } = await runCli(['inspect', 'pod/web-0', '--operation', id]);
    expect({ exitCode, requests }).toEqual({ exitCode: 2, requests: [] });
    expect(stderr).toContain(`--operation ${JSON.stringify(id)} is not the id of an operation.`);
  });
});

describe('what is printed', () => {
  it('is a short text, and nothing besides', async () => {
    const { exitCode, stdout, stderr } = await restart(['restart', '77']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^docker\/web restarted in place\n/);
    expect(stderr).toBe('');
  });

  it('is the document alone with -o json', async () => {
    const { stdout } = await restart(['restart', '77', '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual(restartResult);
    expect(Object.keys(JSON.parse(stdout) as object).slice(0, 4)).toEqual([
      'apiVersion',
      'kind',
      'operationId',
      'outcome',
    ]);
  });

  it('is each event on a line, the result last, with -o jsonl', async () => {
    const { stdout } = await restart(['restart', '77', '--output=jsonl', '--no-drain']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([{ kind: 'phase', phase: 'observe', atMs: 1.5 }, restartResult]);
  });

  it('is a warning on standard error when it comes, also where the result is a document', async () => {
    const warning = 'warning: line\\u2028separators are no line breaks\n';
    const text = await restart(['restart', '77'], { engines: ['answers in pieces'] });
    expect(text).toMatchObject({ exitCode: 0, stderr: warning });
    const json = await restart(['restart', '77', '-o', 'json'], { engines: ['answers in pieces'] });
    expect(json.stderr).toBe(warning);
    expect(JSON.parse(json.stdout)).toEqual(restartResult);
    const quiet = await restart(['restart', '77', '-q'], { engines: ['answers in pieces'] });
    expect(quiet.stderr).toBe('');
  });

  it('is nothing with --quiet', async () => {
    expect(await restart(['restart', '77', '-q'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('is the whole plan or inspection as JSON', async () => {
    const [planned, inspected] = await Promise.all([
      restart(['plan', 'restart', '77', '-o', 'json']),
      restart(['inspect', '77', '-o', 'json']),
    ]);
    expect(JSON.parse(planned.stdout)).toEqual(plan);
    expect(JSON.parse(inspected.stdout)).toEqual(inspection);
  });

  it('has colours where they are wanted', async () => {
    const { stdout } = await restart(['restart', '77'], { colours: true });
    expect(stdout).toContain('\u001b[32mrestarted in place\u001b[39m');
  });
});

describe('when it fails', () => {
  it('says why on standard error, and what to do', async () => {
    expect(await restart(['inspect', '77'], { engines: ['refuses'] })).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: 'error: It is frozen.\nhint: Thaw it.\n',
    });
  });

  it('says it in JSON too when JSON was asked for', async () => {
    const { exitCode, stdout, stderr } = await restart(['inspect', '77', '-o', 'json'], { engines: ['refuses'] });
    expect(exitCode).toBe(5);
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'hotexec/v1',
      kind: 'Error',
      outcome: null,
      error: { code: 'target-frozen', message: 'It is frozen.', hint: 'Thaw it.', details: {} },
    });
    expect(stderr).toBe('error: It is frozen.\nhint: Thaw it.\n');
  });

  it('says it on one line with -o jsonl', async () => {
    const { stdout } = await restart(['restart', '77', '-o', 'jsonl'], { engines: ['refuses'] });
    expect(stdout.split('\n').map((line) => line.length > 0)).toEqual([true, false]);
  });

  it('exits 130 when it was interrupted and the program runs on', async () => {
    const engines = ['waits for a cancel'];
    const controller = new AbortController();
    const { exitCode, stderr } = await restart(['restart', '77', '--no-drain', '-o', 'jsonl'], {
      engines,
      signal: controller.signal,
      onOutput: () => controller.abort(),
    });
    expect(exitCode).toBe(130);
    expect(stderr).toContain('Cancel');
  });

  it('exits 1 when the engine was killed and the program runs on', async () => {
    const run = await restart(['restart', '77', '--no-drain'], { engines: ['dies in the hold', 'finds the old'] });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/^pid\/77 is unchanged: the restart failed\n/);
    expect(run.stderr).toMatch(/^error: The engine of hotexec was killed by SIGKILL\./);
  });

  it('exits 6 when the outcome is not known', async () => {
    const run = await restart(['restart', '77'], { engines: ['dies in the hold', 'crashes', 'crashes', 'crashes'] });
    expect(run.exitCode).toBe(6);
  });

  it('exits 5 for a process that is not there, without asking an engine', async () => {
    const run = await restart(['inspect', '78']);
    expect(run).toMatchObject({ exitCode: 5, requests: [] });
    expect(run.stderr).toMatch(/^error: pid\/78: there is no process 78 here/);
  });
});

describe('bad usage exits 2, before anything is looked at', () => {
  it.each([
    [['restrat', '1'], "Unknown command 'restrat'.", 'Did you mean restart? hotexec --help shows what there is.'],
    [['restart'], "Missing required argument 'target'.", 'hotexec restart --help shows what there is.'],
    [
      ['restart', '1', '--unheard-of', '5s'],
      "Unknown option '--unheard-of'.",
      'hotexec restart --help shows what there is.',
    ],
    [
      ['inspect', '1', '-o', 'yaml'],
      "Option '-o, --output <FORMAT>' argument 'yaml' is invalid. Allowed choices are text, json.",
      'hotexec inspect --help shows what there is.',
    ],
    [['plan'], 'plan wants to know what to plan.', 'hotexec plan restart TARGET'],
    [['restart', 'web'], '"web" does not say what it is.', 'A Docker container is named docker/web, a pod pod/web.'],
    [['restart', '1', '--timeout', '5'], '--timeout "5" is not a duration.', 'For example: 10s, 1m30s, 500ms'],
    [['restart', '1', '--timeout', '0s'], '--timeout 0s is out of range: 1ms to 24h.', null],
    [['restart', '1', '--keep-fd', '-1'], '--keep-fd "-1" is not a file descriptor.', 'hotexec inspect lists them.'],
    [['restart', '1', '--cwd', 'srv'], '--cwd "srv" must begin with /: it is a path inside the container.', null],
    [['restart', '1', '--unset-env', 'A=1'], '--unset-env "A=1" is not the name of a variable.', null],
    [['restart', '1', '--'], 'There is no command after --.', 'Without -- the same program is started again.'],
    [['inspect', '1', '--', 'ls'], 'inspect takes no command after --.', null],
    [
      ['restart', '1', '2'],
      'One target at a time: "2" is one too many.',
      'Another command for it follows after --: hotexec restart 1 -- 2',
    ],
    [['plan', 'rollback', '1', '--to', '2'], 'plan is of restart and replace.', 'hotexec rollback TARGET --dry-run'],
    [
      ['restart', '1', '--env-file', '/nonexistent'],
      '--env-file "/nonexistent" cannot be read: there is no such file here.',
      null,
    ],
  ])('%j', async (argv, message, hint) => {
    const stderr = `error: ${message}\n${hint === null ? '' : `hint: ${hint}\n`}`;
    expect(await runCli(argv)).toEqual({ exitCode: 2, stdout: '', stderr, requests: [] });
  });

  it('as JSON where that was asked for', async () => {
    const { exitCode, stdout } = await runCli(['restart', 'web', '-o', 'json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Error', error: { code: 'usage' } });
  });

  it.each([
    [['restart', '1', '-n', 'shop'], '--namespace is for pods, and the target is none.'],
    [['restart', 'docker/web', '--agent-user', '7'], '--agent-user is for pods, and the target is none.'],
    [['restart', 'docker/web', '--hooks'], '--hooks is for pods, and the target is none.'],
    [['plan', 'replace', '1', '--with', '/bin/sh', '--hooks'], '--hooks is for pods, and the target is none.'],
    [['rollback', 'cri/abc', '--hooks'], '--hooks is for pods, and the target is none.'],
    [
      ['restart', 'pod/web', '--local', '--hooks'],
      '--hooks is for pods that an API server is asked for: without --local.',
    ],
    [['restart', '1', '--as-group', 'x'], '--as-group is for pods, and the target is none.'],
    [['restart', 'pod/web', '-n', '../x'], '--namespace "../x" is not a name as Kubernetes has them.'],
    [['restart', 'pod/web', '--agent-user', 'root'], '--agent-user "root" is not UID or UID:GID.'],
    [['restart', 'pod/web', '--agent-ttl', '1ms'], '--agent-ttl "1ms" is not a duration from 1s to 168h.'],
    [['restart', 'pod/web', '--as-group', 'x'], '--as-group is for a user that is impersonated, and there is no --as.'],
    [['restart', 'pod/web', 'x', '-l', 'a=b'], '-l selects by labels, and a name is given too.'],
    [['restart', 'Pod/Web'], '"Web" is not the name of a pod.'],
  ])('in the flags for pods: %j', async (argv, message) => {
    const run = await runCli(argv);
    expect(run).toMatchObject({ exitCode: 2, stdout: '', requests: [] });
    expect(run.stderr).toContain(`error: ${message}\n`);
  });
});

async function restart(argv: readonly string[], setting: CliSetting = {}): ReturnType<typeof runCli> {
  const proc = writeProc(tempDirectory(), [{ pid: 77, comm: 'app', ppid: 1 }]);
  return runCli(argv, { engines: ['works'], proc, ...setting });
}
