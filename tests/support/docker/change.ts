// One change of a program in a container, as a user makes it on the command line, and what is seen of it from outside.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import type { History } from '../../../src/protocol/history.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import type { Container } from './container.ts';
import { docker } from './docker.ts';
import { hotexec } from './hotexec.ts';
import { startTicks, statusOf } from './proc.ts';

export interface Change {
  readonly exitCode: number | string | null;
  /** What went wrong; null: nothing, or the JSON has no error. */
  readonly code: string | null;
  readonly message: string;
  /** Null: refused before anything had begun. */
  readonly result: RestartResult | null;
}

/** `hotexec WORDS... -o json`; whatever its exit code is. */
export async function change(...words: readonly string[]): Promise<Change> {
  const at = words.includes('--') ? words.indexOf('--') : words.length;
  const { exitCode, stdout, stderr } = await hotexec(...words.slice(0, at), '-o', 'json', ...words.slice(at));
  return changeIn(exitCode, stdout, stderr);
}

export function changeIn(exitCode: Change['exitCode'], stdout: string, stderr = ''): Change {
  const document = JSON.parse(stdout || '{}') as Partial<RestartResult>;
  const { error = null, outcome } = document;
  const result = outcome === undefined ? null : (document as RestartResult);
  return { exitCode, code: error?.code ?? null, message: `${error?.message ?? ''}${stderr}`, result };
}

export async function replace(container: Container, file: string, ...flags: readonly string[]): Promise<Change> {
  return await change('replace', container.target, '--with', file, ...flags);
}

/** Newest first. */
export async function versionsOf(container: Container): Promise<History['versions']> {
  const { exitCode, stdout, stderr } = await hotexec('rollback', container.target, '--list', '-o', 'json');
  if (exitCode !== 0) throw new Error(`rollback --list ended with ${exitCode}: ${stdout} ${stderr}`);
  return (JSON.parse(stdout) as History).versions;
}

/** What no change may alter: the container, its process, and that nobody traces it. */
export async function identityOf(container: Container): Promise<unknown> {
  const status = await statusOf(container.pid);
  return {
    record: await container.record(),
    startTicks: await startTicks(container.pid),
    tracer: status.get('TracerPid'),
    isStopped: /^[tT]/.test(status.get('State') ?? ''),
  };
}

/** The layer of the container as Docker tells it: `A /app/new`, `C /app`. Without what Docker itself makes. */
export async function layerOf({ id }: Pick<Container, 'id'>): Promise<string[]> {
  const changed = (await docker('diff', id)).split('\n');
  return changed.filter((line) => !/^$|^. \/(?:etc|dev|proc|sys|\.dockerenv)\b/.test(line)).toSorted();
}

/** Of the files that hotexec has made: those that it keeps, and those that it should not have left. */
export async function ownFilesOf(container: Pick<Container, 'id'>): Promise<string[]> {
  return (await layerOf(container)).filter((line) => line.includes('.hotexec'));
}

/** A file of the running container. */
export function contentIn({ pid }: Container, path: string): string {
  return readFileSync(`/proc/${pid}/root${path}`, 'utf8');
}

export function namesIn({ pid }: Container, path: string): string[] {
  return readdirSync(`/proc/${pid}/root${path}`).toSorted();
}

export function executableOf({ pid }: Container): string {
  return readlinkSync(`/proc/${pid}/exe`);
}

/** Exit code 5 or 2 or 1, and the container as it was: the same run of the program, the same files. */
export async function expectUntouched(
  container: Container,
  attempt: () => Promise<Change>,
  expected: { readonly exitCode: number; readonly code: string; readonly says?: RegExp },
): Promise<void> {
  const before = await looksOf(container);
  const { exitCode, code, message } = await attempt();
  expect({ exitCode, code, message }).toMatchObject({ exitCode: expected.exitCode, code: expected.code });
  expect(message).toMatch(expected.says ?? /./);
  expect(await looksOf(container)).toEqual(before);
}

async function looksOf(container: Container): Promise<unknown> {
  return {
    identity: await identityOf(container),
    layer: await layerOf(container),
    execution: readFileSync(`/proc/${container.pid}/auxv`, 'latin1'),
    exe: executableOf(container),
  };
}
