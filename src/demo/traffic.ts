// Requests to the demo's server: over loopback only, one connection each, never more than a few hundred.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the program tells about itself. */
export interface ServerAnswer {
  readonly instance: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly served: number;
}

export interface Tally {
  readonly sent: number;
  readonly answered: number;
  /** Instances in the order in which they first answered. */
  readonly instances: readonly string[];
  readonly last: ServerAnswer | null;
}

const requestTimeoutMs = 2_000;

/** Null: refused, reset or no sense in it. */
export async function ask(port: number): Promise<ServerAnswer | null> {
  const { promise, resolve } = Promise.withResolvers<ServerAnswer | null>();
  const call = request({ host: '127.0.0.1', port, agent: false, timeout: requestTimeoutMs }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => resolve(parseAnswer(Buffer.concat(chunks).toString())));
    response.on('error', () => resolve(null));
  });
  call.on('timeout', () => call.destroy(new Error('timeout')));
  call.on('error', () => resolve(null));
  call.end();
  return promise;
}

export interface Stream {
  readonly port: number;
  readonly everyMs: number;
  /** At most so many. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** One request after the other, until the limit is reached or `enough` says so after an answer. */
export async function send(stream: Stream, enough: (answer: ServerAnswer) => boolean = () => false): Promise<Tally> {
  const answers: ServerAnswer[] = [];
  let sent = 0;
  while (sent < stream.limit) {
    stream.signal.throwIfAborted();
    const answer = await ask(stream.port);
    sent += 1;
    if (answer !== null) {
      answers.push(answer);
      if (enough(answer)) break;
    }
    await sleep(stream.everyMs, undefined, { signal: stream.signal });
  }
  return {
    sent,
    answered: answers.length,
    instances: [...new Set(answers.map(({ instance }) => instance))],
    last: answers.at(-1) ?? null,
  };
}

export function parseAnswer(text: string): ServerAnswer | null {
  try {
    const value: unknown = JSON.parse(text);
    return isAnswer(value) ? value : null;
  } catch {
    return null; // cut off by the restart
  }
}

function isAnswer(value: unknown): value is ServerAnswer {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'instance' in value &&
    typeof value.instance === 'string' &&
    /^[0-9a-f]{8}$/u.test(value.instance) &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'uptimeMs' in value &&
    typeof value.uptimeMs === 'number' &&
    'served' in value &&
    typeof value.served === 'number'
  );
}
