// A program that finishes by itself (`told` of tests/fixtures/kernel/ends.c) and is started again from where it would have ended.
import { readdirSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { Drain, RestartResult } from '../../../src/protocol/result.ts';
import { childrenOf } from '../kill/survivor.ts';
import { compile } from './compile.ts';
import { expectFree, startTicks } from './in-place.ts';
import { tryProgram, type Trial } from './probation.ts';
import { launchInSandbox } from './sandbox.ts';
import { start, type Target } from './target.ts';

export type Place = 'a process' | 'process 1 of a container';

export const told = (...words: readonly (string | number)[]): readonly string[] => [
  compile('ends'),
  'told',
  ...words.map(String),
];

/** Started and ready, with variables of its own. */
export async function startIn(
  place: Place,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, number>> = {},
): Promise<Target> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (place === 'a process') return await start('env', [...variables, file, ...args]);
  const target = await launchInSandbox('env', [...variables, file, ...args]);
  await target.line(/^started/);
  return target;
}

/** It has finished as it would, runs again in the same process, and nobody holds it. */
export async function expectDrained(
  target: Target,
  drain: Partial<Drain>,
  trial: Trial & { readonly own?: RegExp } = {},
): Promise<RestartResult> {
  const before = startTicks(target.pid);
  const result = await tryProgram(target.pid, { probationMs: 20, ...trial });
  expect(result).toMatchObject({ outcome: 'restarted', drain: { signal: 'SIGTERM', ...drain }, error: null });
  await target.line(/^started/);
  expect(startTicks(target.pid)).toBe(before);
  expectLetGo(target.pid, trial.own);
  return result;
}

/** No thread of it or of its children is traced or stopped, and it has no descriptor but those that it may have (any, if not named). */
export function expectLetGo(pid: number, own: RegExp = /./): void {
  for (const process of [pid, ...childrenOf(pid)]) expectFree(process);
  const strange = readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => Number(fd) > 2 && Number(fd) < 100)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((file) => !own.test(file));
  expect(strange).toEqual([]);
}

/** As it ends when nobody watches. */
export async function endWithoutUs(target: Target): Promise<readonly [code: number | null, signal: string | null]> {
  const exit = once(target.child, 'exit');
  process.kill(target.pid, 'SIGTERM');
  return (await exit) as [number | null, string | null];
}
