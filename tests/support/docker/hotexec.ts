// bin/hotexec as a user runs it: the exit code, and the one JSON document on its standard output.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Inspection } from '../../../src/protocol/inspection.ts';
import type { Plan } from '../../../src/protocol/plan.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';

export const hotexecCommand: string = join(import.meta.dirname, '../../../bin/hotexec');

export interface HotexecRun {
  readonly exitCode: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 60_000;

/** Never rejects for an exit code: that is the answer. */
export async function hotexec(...args: readonly string[]): Promise<HotexecRun> {
  return await run(hotexecCommand, args);
}

export async function run(command: string, args: readonly string[]): Promise<HotexecRun> {
  const { promise, resolve } = Promise.withResolvers<HotexecRun>();
  const options = { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
  execFile(command, args, options, (error, stdout, stderr) => {
    resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr });
  });
  return await promise;
}

/** A restart that must succeed. */
export async function restart(target: string, ...flags: readonly string[]): Promise<RestartResult> {
  const result = (await json('restart', target, '--no-drain', ...flags)) as RestartResult;
  if (result.outcome !== 'restarted') throw new Error(`${target} was not restarted: ${JSON.stringify(result)}`);
  return result;
}

export async function inspect(target: string, ...flags: readonly string[]): Promise<Inspection> {
  return (await json('inspect', target, ...flags)) as Inspection;
}

export async function planRestart(target: string, ...flags: readonly string[]): Promise<Plan> {
  return (await json('plan', 'restart', target, '--no-drain', ...flags)) as Plan;
}

async function json(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await hotexec(...args, '-o', 'json');
  if (exitCode !== 0) throw new Error(`hotexec ${args.join(' ')} ended with ${exitCode}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}
