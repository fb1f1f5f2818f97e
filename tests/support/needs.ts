// needs('root', 'docker'): every test of the file or of the describe block is skipped, with the reason, on a machine
// that lacks one of them. With CI=true the machine is meant to have them all, and the tests fail instead.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeEach, type TestContext } from 'vitest';
import { missingParts } from './cluster/machine/parts.ts';

export type Need = 'root' | 'docker' | 'cluster' | { readonly command: string };

export function needs(...wanted: readonly Need[]): void {
  beforeEach((context) => needsHere(context, ...wanted));
}

/** The same of one test alone. */
export function needsHere(context: TestContext, ...wanted: readonly Need[]): void {
  const reasons = wanted.flatMap((need) => missing(need) ?? []);
  if (reasons.length === 0) return;
  const sentence = `${reasons.join(', ')} (scripts/setup-machine.sh, as root, sets a Debian machine up${wanted.includes('cluster') ? '; npm run test:cluster does for the cluster' : ''})`;
  if (process.env['CI'] === 'true') throw new Error(`This test cannot run here: ${sentence}`);
  context.skip(sentence);
}

const answers = new Map<string, string | undefined>();

function missing(need: Need): string | undefined {
  const key = JSON.stringify(need);
  if (!answers.has(key)) answers.set(key, look(need));
  return answers.get(key);
}

function look(need: Need): string | undefined {
  if (need === 'root') return process.getuid?.() === 0 ? undefined : 'not root';
  if (need === 'docker') return spawnSync('docker', ['version']).status === 0 ? undefined : 'no Docker daemon answers';
  if (need === 'cluster') return missingParts()[0];
  return isOnPath(need.command) ? undefined : `no ${need.command} on PATH`;
}

function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => isExecutable(join(directory, command)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
