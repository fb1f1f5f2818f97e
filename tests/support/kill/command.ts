// The hotexec command as a user runs it, for a test that sends it signals.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readText } from '../../../src/procfs/read.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import { childrenOf, type Survivor } from './survivor.ts';
import { cli, type Workshop } from './sweep.ts';
import { until } from '../until.ts';

export interface Command {
  readonly child: ChildProcess;
  /** Null: on a busy machine all was over before anybody looked. */
  readonly enginePid: number | null;
  /** What it said at its end; `killed` if it could not. */
  readonly outcome: Promise<string>;
}

/** `hotexec restart`, at the moment when its engine has been started. */
export async function restartCommand(
  { pid }: Pick<Survivor, 'pid'>,
  workshop: Workshop,
  { version, command }: { readonly version: number; readonly command: readonly string[] | null },
): Promise<Command> {
  const flags = [
    '--force',
    '--env',
    `VERSION=${version}`,
    '-o',
    'json',
    ...(command === null ? [] : ['--env-file', '-']),
  ];
  const [file = '', ...args] = [...cli, 'restart', '--no-drain', `pid/${pid}`, ...flags];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], env: workshop.env });
  // A variable that the kernel refuses (E2BIG): as an argument it would not even reach hotexec.
  child.stdin.on('error', () => {}).end(command === null ? '' : `LONG=${'x'.repeat(140_000)}\n`);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const outcome = once(child, 'close').then(() => outcomeIn(stdout));
  let isOver = false;
  child.once('exit', () => (isOver = true));
  const enginePid = await until('its engine is started', () => (isOver ? null : childrenOf(child.pid)[0]));
  return { child, enginePid, outcome };
}

function outcomeIn(stdout: string): string {
  if (stdout === '') return 'killed';
  const { outcome, error } = JSON.parse(stdout) as { outcome: string | null; error: { code: string } | null };
  return outcome ?? error?.code ?? 'nothing';
}

/**
 * An engine whose front is gone ends by itself. Who inherits it may take long to collect it: it is a zombie then. While another of its
 * threads is still on its way out it has its files open, and with them the lock.
 */
export async function ended(pid: number): Promise<void> {
  const isOver = (): boolean => {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat.kind !== 'read') return true;
    return 'ZX'.includes(parseStat(stat.content).state) && readdirSync(`/proc/${pid}/task`).length === 1;
  };
  await until('the engine has ended', isOver, 5_000);
}
