// hotexec on pods, as a user of the cluster runs it: bin/hotexec, and the lines of it as they come.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { RestartList } from '../../../src/protocol/list.ts';
import { hotexec, hotexecCommand, type HotexecRun } from '../docker/hotexec.ts';

export interface ListRun extends HotexecRun {
  readonly list: RestartList;
}

/** With `-o json`. Throws where there is no document. */
export async function rollOut(namespace: string, ...args: readonly string[]): Promise<ListRun> {
  const [verb = '', ...rest] = args;
  const ran = await hotexec(verb, '--namespace', namespace, '-o', 'json', ...rest);
  try {
    return { ...ran, list: JSON.parse(ran.stdout) as RestartList };
  } catch (cause) {
    throw new Error(`hotexec ${args.join(' ')}: ${ran.exitCode}\n${ran.stdout}${ran.stderr}`, { cause });
  }
}

const timeoutMs = 120_000;

/** The lines of `-o jsonl`; `onLine` is waited for, and may end it with a signal. */
export async function linesOf(
  args: readonly string[],
  onLine: (line: Readonly<Record<string, unknown>>, end: (signal: NodeJS.Signals) => void) => Promise<void> | void,
): Promise<number | null> {
  const child = spawn(hotexecCommand, [...args, '-o', 'jsonl'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: timeoutMs,
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  for await (const line of createInterface({ input: child.stdout })) {
    await onLine(JSON.parse(line) as Record<string, unknown>, (signal) => child.kill(signal));
  }
  return await promise;
}
