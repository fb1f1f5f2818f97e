// kubectl hotexec, as a user runs it: kubectl finds dist/cli.cjs by the name of its plugin.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { run, type HotexecRun } from '../docker/hotexec.ts';
import { programsDirectory } from './machine/places.ts';

const commandPath = join(import.meta.dirname, '../../../dist/cli.cjs');

/** Never rejects for an exit code: that is the answer. */
export async function kubectlHotexec(...args: readonly string[]): Promise<HotexecRun> {
  return await kubectlWithPlugin('hotexec', ...args);
}

export async function kubectlWithPlugin(...args: readonly string[]): Promise<HotexecRun> {
  const plugins = mkdtempSync(join(tmpdir(), 'hotexec-plugins-'));
  for (const name of ['kubectl-hotexec', 'kubectl_complete-hotexec']) symlinkSync(commandPath, join(plugins, name));
  // The command's first line asks PATH for a Node.
  const path = [plugins, dirname(process.execPath), process.env['PATH'] ?? ''].join(':');
  try {
    return await run('/usr/bin/env', [`PATH=${path}`, join(programsDirectory, 'kubectl'), ...args]);
  } finally {
    rmSync(plugins, { recursive: true });
  }
}

export interface Answered<Result> extends HotexecRun {
  readonly result: Result;
}

/** With `-o json`. Throws where there is no document. */
export async function kubectlHotexecJson<Result = RestartResult>(
  ...args: readonly string[]
): Promise<Answered<Result>> {
  const at = args.includes('--') ? args.indexOf('--') : args.length;
  const answered = await kubectlHotexec(...args.slice(0, at), '-o', 'json', ...args.slice(at));
  try {
    return { ...answered, result: JSON.parse(answered.stdout) as Result };
  } catch (cause) {
    throw new Error(`kubectl hotexec ${args.join(' ')}: ${answered.exitCode}\n${answered.stdout}${answered.stderr}`, {
      cause,
    });
  }
}
