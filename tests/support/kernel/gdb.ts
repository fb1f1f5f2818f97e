// A script that `hotexec plan restart --format gdb` has made, run by the real gdb.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from './files.ts';

const hotexec = process.env['HOTEXEC_TEST_COMMAND'] ?? join(import.meta.dirname, '../../../bin/hotexec');

/** From attaching to the end a script takes a few tenths of a second; one that hangs is killed, and the test fails. */
const hangsAfterMs = 20_000;

export async function scriptFor(pid: number, flags: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(hotexec, ['plan', 'restart', `pid/${pid}`, '--format', 'gdb', ...flags]);
  return stdout;
}

export interface GdbRun {
  /** Null: it hung, and was killed. */
  readonly code: number | null;
  readonly output: string;
}

/** `attached`: by `gdb -p PID` before the script begins. */
export async function runScript(script: string, { attached }: { readonly attached?: number } = {}): Promise<GdbRun> {
  const file = join(temporaryDirectory(), 'restart.gdb');
  writeFileSync(file, script);
  return await runGdb([...(attached === undefined ? [] : ['-p', String(attached)]), '-x', file]);
}

async function runGdb(args: readonly string[]): Promise<GdbRun> {
  const child = spawn('gdb', ['-nx', '-batch', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: hangsAfterMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
