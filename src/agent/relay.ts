// `hotexec agent relay`: what each exec into the agent's container runs, always with the same command line. Standard input goes to the
// agent's socket and what comes from there to standard output, no more. It is started for every command: nothing of the rest is loaded. It may
// be there before the agent listens, which was put into the pod a moment ago.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RelayStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** No such service: there is no agent. As errors.ts has it for `agent-unreachable`. */
const noAgent = 5;

/** An agent that has just been started listens this much later. */
const patienceMs = 3000;
const lookAgainMs = 10;

/** Resolves with the exit code when both directions have ended. Each ends by itself: what is asked at the end is still answered. */
export async function relay(
  socket: string,
  { stdin, stdout, stderr }: RelayStreams,
  waitMs: number = patienceMs,
): Promise<number> {
  const connection = await connected(socket, performance.now() + waitMs);
  if (connection instanceof Error) {
    const { promise, resolve } = Promise.withResolvers<number>();
    stderr.write(`hotexec: there is no agent at ${socket}: ${connection.message}\n`, () => resolve(noAgent));
    return promise;
  }
  const { promise, resolve } = Promise.withResolvers<number>();
  connection.once('error', (error) => {
    stderr.write(`hotexec: the agent at ${socket} has gone: ${error.message}\n`, () => resolve(noAgent));
  });
  stdin.pipe(connection);
  connection.pipe(stdout, { end: false });
  // The client has gone: what it asked for goes on in the agent.
  stdin.once('error', () => connection.destroy());
  stdout.once('error', () => connection.destroy());
  connection.once('close', (hadError) => {
    if (!hadError) stdout.write('', () => resolve(0));
  });
  return promise;
}

/** Tries until then. */
async function connected(socket: string, deadlineMs: number): Promise<Socket | Error> {
  for (;;) {
    const connection = connect({ path: socket, allowHalfOpen: true });
    try {
      await once(connection, 'connect');
      return connection;
    } catch (error) {
      if (performance.now() > deadlineMs) return error instanceof Error ? error : new Error(String(error));
    }
    await sleep(lookAgainMs);
  }
}
