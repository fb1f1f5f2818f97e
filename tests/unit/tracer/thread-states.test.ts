import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { threadState, ThreadStates } from '../../../src/tracer/thread-states.ts';
import { tempDirectory } from '../../support/temp.ts';
import { until } from '../../support/until.ts';

test('a thread is told by its state, whatever it calls itself, each time anew, until it is gone', async () => {
  const path = join(tempDirectory(), ') T (a) Z (bcd)');
  copyFileSync('/bin/sleep', path);
  const child = spawn(path, ['1000']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  using states = new ThreadStates(pid);
  expect(states.list()).toBe(true);
  expect(states.list()).toBe(false);
  await until('it sleeps', () => states.look()[0] === 'S');
  expect(threadState(pid, pid)).toBe('S');
  expect(states.look()).toEqual(['S']);
  child.kill('SIGSTOP');
  await until('it is stopped', () => states.look()[0] === 'T');
  child.kill('SIGKILL');
  await until('it is gone', () => states.look()[0] === 'X');
  expect(threadState(pid, pid)).toBe('X');
  expect(states.look()).toEqual(['X']);
});
