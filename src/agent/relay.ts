// `hotexec agent relay`: what each exec into the agent's container runs, always with the same command line. Standard input goes to the
// agent's socket and what comes from there to standard output, no more. It is started for every command: nothing but node:net is loaded.
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';

export interface RelayStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** No such service: there is no agent. As errors.ts has it for `agent-unreachable`. */
const noAgent = 5;

/** Resolves with the exit code when both directions have ended. Each ends by itself: what is asked at the end is still answered. */
export async function relay(socket: string, { stdin, stdout, stderr }: RelayStreams): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const connection = connect({ path: socket, allowHalfOpen: true });
  connection.once('error', (error) => {
    stderr.write(`hotexec: there is no agent at ${socket}: ${error.message}\n`, () => resolve(noAgent));
  });
  connection.once('connect', () => {
    stdin.pipe(connection);
    connection.pipe(stdout, { end: false });
  });
  // The client has gone: what it asked for goes on in the agent.
  stdin.once('error', () => connection.destroy());
  stdout.once('error', () => connection.destroy());
  connection.once('close', (hadError) => {
    if (!hadError) stdout.write('', () => resolve(0));
  });
  return promise;
}
