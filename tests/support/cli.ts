// A command line as a function call: what it prints, what it asks the engine, and its exit code.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CliContext, Output } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { fakeEngines } from './fake-engines.ts';
import { tempDirectory } from './temp.ts';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the engines were sent. */
  readonly requests: readonly Record<string, unknown>[];
}

export interface CliSetting {
  readonly engines?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly program?: CliContext['program'];
  readonly colours?: boolean;
  readonly signal?: AbortSignal;
  /** Called with each piece of standard output, as it is written. */
  readonly onOutput?: (text: string) => void;
  readonly proc?: string;
}

export async function runCli(argv: readonly string[], setting: CliSetting = {}): Promise<CliRun> {
  const record = join(tempDirectory(), 'requests');
  const { engines = [], env = {}, stdin = '', program = 'hotexec', colours = false, proc = '/proc' } = setting;
  const fakes = fakeEngines(engines, record);
  onTestFinished(() => fakes.started.forEach((engine) => engine[Symbol.dispose]()));
  const stdout = collector(colours, setting.onOutput);
  const stderr = collector(colours);
  const exitCode = await run({
    argv,
    program,
    cwd: setting.cwd ?? process.cwd(),
    env,
    stdout,
    stderr,
    readStdin: async () => Promise.resolve(stdin),
    signal: setting.signal ?? new AbortController().signal,
    onBegin: () => {},
    startEngine: fakes.start,
    proc,
    host: { architecture: 'x86_64', execPath: process.execPath, uid: 0, kill: () => {} },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), requests: requestsIn(record) };
}

function collector(colours: boolean, onWrite?: (text: string) => void): Output & { readonly text: () => string } {
  const written: string[] = [];
  const write = (text: string): void => {
    written.push(text);
    onWrite?.(text);
  };
  return { write, isTerminal: false, colours, text: () => written.join('') };
}

function requestsIn(file: string): readonly Record<string, unknown>[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
