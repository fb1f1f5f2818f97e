// A restart that is under way: what it says line by line, and how it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { RestartResult } from '../../../src/protocol/result.ts';
import { until } from '../until.ts';
import type { Container } from './container.ts';
import { hotexecCommand } from './hotexec.ts';

export interface Draining {
  /** Of hotexec's front. */
  readonly pid: number;
  /** It has begun this phase. */
  readonly phase: (name: string) => Promise<void>;
  readonly end: Promise<{ readonly exitCode: number | null; readonly result: RestartResult; readonly stderr: string }>;
}

export function beginRestart(container: Container, ...flags: readonly string[]): Draining {
  const child = spawn(hotexecCommand, ['restart', container.target, ...flags, '-o', 'jsonl'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  const closed = Promise.all([once(child, 'close'), text(child.stderr)]);
  return {
    pid: child.pid ?? Number.NaN,
    phase: async (name) => {
      await until(`the phase ${name}`, () => stdout.includes(`"phase":"${name}"`));
    },
    end: closed.then(([, stderr]) => {
      const last = stdout.trim().split('\n').at(-1) ?? '{}';
      return { exitCode: child.exitCode, result: JSON.parse(last) as RestartResult, stderr };
    }),
  };
}
