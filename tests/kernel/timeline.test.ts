// --timeline on a real restart: the picture is of what has happened.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startLoad } from '../../src/demo/load.ts';
import { startSandbox } from '../../src/demo/sandbox.ts';
import { serverProgram } from '../../src/demo/server-program.ts';
import { restart, type HotexecEvent } from '../../src/index.ts';
import { parseSvg } from '../support/svg.ts';
import { tempDirectory } from '../support/temp.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const hotexec = join(import.meta.dirname, '../../bin/hotexec');
const { signal } = new AbortController();
const host = {
  execPath: process.execPath,
  uid: process.getuid?.() ?? 0,
  kill: (pid: number, name: NodeJS.Signals): unknown => process.kill(pid, name),
};

needs('root', { command: 'unshare' });

test('a restart of a server draws its stages in order', async () => {
  await using sandbox = await startSandbox(serverProgram, host, signal);
  const file = join(tempDirectory(), 'restart.svg');
  const { stdout } = await run(hotexec, ['restart', String(sandbox.pid), '--timeline', file, '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'restarted' });
  const picture = readFileSync(file, 'utf8');
  parseSvg(picture);
  const stages = [
    ...picture.matchAll(/<title>(prepare|prove|drain|swap|start|verify) [^<]+<\/title><rect x="([\d.]+)"/g),
  ];
  expect(stages.map(([, name]) => name)).toEqual(['prepare', 'prove', 'drain', 'swap', 'start', 'verify']);
  const starts = stages.map(([, , x]) => Number(x));
  expect(starts.toSorted((a, b) => a - b)).toEqual(starts);
  for (const words of ['SIGTERM', 'exit 0, caught', 'execve', 'listens']) expect(picture).toContain(words);
});

test('what is told for it is told only if it is wanted, and agrees with the result', async () => {
  await using sandbox = await startSandbox(serverProgram, host, signal);
  const events: HotexecEvent[] = [];
  const onEvent = (event: HotexecEvent): void => void events.push(event);
  await restart(`pid/${sandbox.pid}`, { onEvent });
  expect(events.filter(({ kind }) => kind === 'timeline')).toEqual([]);

  using load = startLoad({ port: sandbox.port, everyMs: 5, limit: 2_000, signal });
  await until('clients are there', () => load.answers.length > 10);
  const result = await restart(`pid/${sandbox.pid}`, { onEvent, timeline: true });
  await load.stop();
  const moments = events.flatMap((event) => (event.kind === 'timeline' ? [event.moment] : []));
  const heldMs = moments.reduce((sum, moment) => sum + (moment.what === 'held' ? moment.ms : 0), 0);
  expect(heldMs).toBeCloseTo(result.timingsMs.hold, 1);
  const waiting = moments.flatMap((moment) =>
    moment.what === 'sample' && moment.waiting !== null ? [moment.waiting] : [],
  );
  expect(Math.max(...waiting)).toBeGreaterThan(0);
});
