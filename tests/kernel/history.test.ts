// The record against real processes: which exec was ours, and which was somebody else's.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { observe } from '../../src/engine/observe.ts';
import { runningOf } from '../../src/engine/running.ts';
import { openHistory, type ProgramHistory } from '../../src/history/history.ts';
import type { ProgramBytes } from '../../src/history/entry.ts';
import { keptFilesOf, readRun } from '../../src/history/run.ts';
import { parseStat } from '../../src/procfs/stat.ts';
import type { History } from '../../src/protocol/history.ts';
import type { TargetProcess } from '../../src/protocol/request.ts';
import { launch } from '../support/kernel/target.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

const hotexec = process.env['HOTEXEC_TEST_COMMAND'] ?? join(import.meta.dirname, '../../bin/hotexec');

/** A shell that executes each line it is given: an exec that hotexec has nothing to do with. */
async function shell(): Promise<{ readonly target: TargetProcess; readonly exec: (line: string) => Promise<void> }> {
  const { pid, say } = launch('/bin/sh', ['-c', 'read line; eval "$line"']);
  const startTicks = (): number => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).startTicks;
  await until('the shell runs', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sh'));
  const target = { name: `pid/${pid}`, pid, startTicks: startTicks(), container: null, spec: null };
  const exec = async (line: string): Promise<void> => {
    const before = readRun(pid);
    say(`exec ${line}`);
    await until('the new program runs', () => readRun(pid)?.startStack !== before?.startStack);
    await until(
      'it has been executed as a whole',
      () => !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('eval'),
    );
  };
  return { target, exec };
}

function open(directory: string, target: TargetProcess): ProgramHistory {
  const observed = observe(target, { pids: new Set(), directory: '/nonexistent', pidNamespace: 0 });
  const place = { directory, uid: process.getuid?.() ?? 0, by: 'ada', enginePid: process.pid };
  return openHistory(place, target, { running: runningOf(observed), isThere: keptFilesOf(target.pid) });
}

function list(directory: string, { pid }: TargetProcess): History {
  const env = { ...process.env, HOTEXEC_STATE_DIR: directory };
  const { stdout, stderr } = spawnSync(hotexec, ['rollback', String(pid), '--list', '-o', 'json'], {
    env,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as History;
}

const states = ({ versions }: Pick<History, 'versions'>): readonly unknown[] =>
  versions.map(({ number, state, program: { argv } }) => [number, state, argv[0]]);

const sleep: ProgramBytes = {
  path: Buffer.from('/bin/sleep'),
  argv: ['sleep', '1000'].map((word) => Buffer.from(word)),
  environment: [],
  cwd: '/',
};

it('a process that hotexec has never touched has one version: what runs there', async () => {
  const { target } = await shell();
  const { versions } = list(join(tempDirectory(), 'state'), target);
  expect(versions).toMatchObject([{ number: 1, state: 'running', startedAt: null, by: null, available: true }]);
});

it('an exec that was recorded is the version that was begun', async () => {
  const { target, exec } = await shell();
  const directory = join(tempDirectory(), 'state');
  const history = open(directory, target);
  history.begin({ operationId: 'op', program: sleep, files: [], backTo: null });
  await exec('sleep 1000');
  history.settle({ kind: 'running', run: readRun(target.pid) });
  const listed = list(directory, target);
  expect(states(listed)).toEqual([
    [2, 'running', 'sleep'],
    [1, 'replaced', '/bin/sh'],
  ]);
  expect(open(directory, target).resolve('previous')).toMatchObject({ number: 1, files: [] });
});

it('an exec that came through although its engine was killed is found to be that version', async () => {
  const { target, exec } = await shell();
  const directory = join(tempDirectory(), 'state');
  open(directory, target).begin({ operationId: 'op', program: sleep, files: [], backTo: null });
  expect(states(list(directory, target))).toEqual([[1, 'running', '/bin/sh']]);
  await exec('sleep 1000');
  expect(states(list(directory, target))).toEqual([
    [2, 'running', 'sleep'],
    [1, 'replaced', '/bin/sh'],
  ]);
});

it('an exec of the process itself is a version that was found', async () => {
  const { target, exec } = await shell();
  const directory = join(tempDirectory(), 'state');
  const history = open(directory, target);
  history.begin({ operationId: 'op', program: sleep, files: [], backTo: null });
  history.settle({ kind: 'failed', end: null, run: readRun(target.pid) });
  await exec('tail -f /dev/null');
  const listed = list(directory, target);
  expect(states(listed)).toEqual([
    [3, 'running', 'tail'],
    [2, 'failed', 'sleep'],
    [1, 'replaced', '/bin/sh'],
  ]);
  expect(listed.versions[0]).toMatchObject({ startedAt: null, by: null });
});
