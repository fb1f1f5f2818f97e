// A restart that is under way: what it says line by line, and how it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { until } from '../until.ts';
import type { Container } from './container.ts';
import { hotexecCommand } from './hotexec.ts';

export interface Draining {
  /** Of hotexec's front. */
  readonly pid: number;
  /** It has begun this phase. */
  readonly phase: (name: string) => Promise<void>;
  readonly end: Promise<{
    readonly exitCode: number | null;
    readonly result: RestartResult;
    /** What it warned of on the way. */
    readonly warnings: readonly string[];
  }>;
}

export function beginRestart(container: Container, ...flags: readonly string[]): Draining {
  return begin(hotexecCommand, ['restart', container.target, ...flags, '-o', 'jsonl']);
}

/** A command that writes jsonl. */
export function begin(command: string, args: readonly string[]): Draining {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  const closed = Promise.all([once(child, 'close'), text(child.stderr)]);
  return {
    pid: child.pid ?? Number.NaN,
    phase: async (name) => {
      await until(`the phase ${name}`, () => stdout.includes(`"phase":"${name}"`));
    },
    end: closed.then(([, stderr]) => {
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as HotexecEvent | RestartResult);
      const result = lines.at(-1);
      if (result === undefined || !('outcome' in result)) throw new Error(`no result: ${stdout}\n${stderr}`);
      const warnings = lines.flatMap((line) => (line.kind === 'warning' ? [line.message] : []));
      return { exitCode: child.exitCode, result, warnings };
    }),
  };
}
