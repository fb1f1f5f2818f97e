// How the kernel is to see the engine while it wakes a thousand threads: told by /proc, in a process of its own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../support/needs.ts';

const [ordinary, realTime, batch] = [0, 1, 3] as const;
const many = 1_000;

needs('root', { command: 'chrt' }, { command: 'setpriv' }, { command: 'taskset' });

const module = join(import.meta.dirname, '../../src/tracer/scheduling.ts');
const program = `
import { readFileSync } from 'node:fs';
import { withoutLoad } from ${JSON.stringify(module)};
const [threads, end] = process.argv.slice(1);
const policy = () => {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return { policy: Number(fields[38]), nice: Number(fields[16]) };
};
const seen = [policy()];
try {
  withoutLoad(Number(threads), () => {
    seen.push(policy());
    if (end === 'throws') throw new Error('it did not stop');
  });
} catch (error) {
  if (error.message !== 'it did not stop') throw error;
}
seen.push(policy());
console.log(JSON.stringify(seen));
`;

interface Asked {
  readonly threads?: number;
  readonly end?: 'returns' | 'throws';
  /** What the process is started with. */
  readonly by?: readonly string[];
}

/** The policies before, while the threads are woken, and after; and the nice values, which are to stay. */
function seen({ threads = many, end = 'returns', by = [] }: Asked): {
  readonly policies: readonly number[];
  readonly nices: readonly number[];
} {
  const node = [process.execPath, '--input-type=module', '--no-warnings', '-e', program, String(threads), end];
  const [command = '', ...args] = [...by, ...node];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const looks = JSON.parse(stdout) as readonly { readonly policy: number; readonly nice: number }[];
  return { policies: looks.map(({ policy }) => policy), nices: looks.map(({ nice }) => nice) };
}

/** A cgroup of cgroup v1 has none of its own until it is given one (Documentation/scheduler/sched-rt-group.rst). */
const hasRealTimeBudget = spawnSync('chrt', ['--fifo', '1', 'true']).status === 0;

test('it is a real-time thread meanwhile, and then what it was before', ({ skip }) => {
  if (!hasRealTimeBudget) skip('the cgroup of this process has no real-time budget');
  expect(seen({ by: ['nice', '-n', '5'] })).toEqual({ policies: [ordinary, realTime, ordinary], nices: [5, 5, 5] });
});

test('it is what it was before, also when that fails', ({ skip }) => {
  if (!hasRealTimeBudget) skip('the cgroup of this process has no real-time budget');
  expect(seen({ end: 'throws' }).policies).toEqual([ordinary, realTime, ordinary]);
});

test('for a few threads nothing is changed', () => {
  expect(seen({ threads: 10 }).policies).toEqual([ordinary, ordinary, ordinary]);
});

test('without CAP_SYS_NICE nothing is changed, and nothing fails', () => {
  const by = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice'];
  expect(seen({ by }).policies).toEqual([ordinary, ordinary, ordinary]);
});

test('with one CPU nothing is changed: the threads would not run while it looks', () => {
  expect(seen({ by: ['taskset', '--cpu-list', '0'] }).policies).toEqual([ordinary, ordinary, ordinary]);
});

test('a policy that it was given stays', () => {
  expect(seen({ by: ['chrt', '--batch', '0'] }).policies).toEqual([batch, batch, batch]);
});
