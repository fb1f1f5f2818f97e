// A program that a test starts and hotexec restarts. It says a line when it has started, and answers each line on its standard input.
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { until } from '../until.ts';

export interface Target {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Every line so far, of all programs that ran in it. */
  readonly lines: readonly string[];
  /** The first line that matches and that no earlier call has given. */
  readonly line: (wanted: RegExp) => Promise<RegExpExecArray>;
  /** Sends a line and waits for the answer. */
  readonly ask: (question: string, wanted?: RegExp) => Promise<RegExpExecArray>;
  readonly say: (line: string) => void;
  readonly end: () => Promise<void>;
}

const lineDeadlineMs = 10_000;

/** Started and ready: it has said `started`. It is killed when the test is over. */
export async function start(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<Target> {
  const target = launch(file, args, options);
  await target.line(/^started/);
  return target;
}

export function launch(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Target {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} cannot be started`);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(end);
  child.stdin?.on('error', () => {}); // EPIPE: its end says more
  const lines: string[] = [];
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  let taken = 0;
  const line = async (wanted: RegExp): Promise<RegExpExecArray> =>
    await until(
      `${file} says ${wanted}`,
      () => {
        for (let at = taken; at < lines.length; at++) {
          const match = wanted.exec(lines[at] ?? '');
          if (match === null) continue;
          taken = at + 1;
          return match;
        }
        return false;
      },
      lineDeadlineMs,
    );
  const say = (text: string): void => void child.stdin?.write(`${text}\n`);
  const ask = async (question: string, wanted = /^alive/): Promise<RegExpExecArray> => {
    say(question);
    return await line(wanted);
  };
  return { pid, child, lines, line, say, ask, end };
}
