import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { listDescendants } from '../../../src/engine/descendants.ts';

test('a process has the children that it started, and none when it is gone', async () => {
  const parent = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; read line']);
  const exit = once(parent, 'exit');
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = Number(line.toString());
  onTestFinished(() => void process.kill(child, 'SIGKILL'));
  const pid = parent.pid ?? 0;
  expect(listDescendants(pid, new Set()).map((found) => found.pid)).toEqual([child]);
  parent.kill('SIGKILL');
  await exit;
  expect(listDescendants(pid, new Set())).toEqual([]);
});
