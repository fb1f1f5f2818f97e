// A restart whose user loses patience: Ctrl-C, until the command leaves without an answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hotexecCommand } from '../docker/hotexec.ts';
import type { Pod } from './pod.ts';

export interface Left {
  readonly exitCode: number | null;
  /** As it says when it leaves; empty: it does not. */
  readonly operationId: string;
}

const everyMs = 50;

/** It is under way; `leave` resolves when the command has left. */
export function startRestart(pod: Pod, ...flags: readonly string[]): { readonly leave: () => Promise<Left> } {
  const words = ['restart', pod.target, '-n', pod.namespace, ...flags];
  const command = spawn(hotexecCommand, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  command.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(command, 'close') as Promise<[number | null]>;
  return {
    leave: async () => {
      const insisting = setInterval(() => command.kill('SIGINT'), everyMs);
      const [exitCode] = await ended;
      clearInterval(insisting);
      return { exitCode, operationId: /\(operation (\S+)\)/.exec(said)?.[1] ?? '' };
    },
  };
}
