// One request to the demo's server: over loopback only, by a connection of its own.
import { request } from 'node:http';
import type { RequestEnd } from '../front/timeline.ts';

/** What the program tells about itself. */
export interface ServerAnswer {
  readonly instance: string;
  readonly version: string;
  readonly pid: number;
  readonly served: number;
}

export type Reply =
  | { readonly end: 'answered'; readonly answer: ServerAnswer }
  | { readonly end: Exclude<RequestEnd, 'answered'>; readonly answer: null };

export interface Question {
  readonly port: number;
  /** How long the server is to take for its answer. */
  readonly workMs: number;
}

const requestTimeoutMs = 5_000;

export async function ask({ port, workMs }: Question): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const fail = (end: Exclude<RequestEnd, 'answered'>): void => resolve({ end, answer: null });
  const how = { host: '127.0.0.1', port, path: `/${workMs}`, agent: false, timeout: requestTimeoutMs };
  const call = request(how, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const answer = parseAnswer(Buffer.concat(chunks).toString());
      if (answer === null) fail('reset');
      else resolve({ end: 'answered', answer });
    });
    response.on('error', () => fail('reset'));
  });
  call.on('timeout', () => {
    fail('late');
    call.destroy();
  });
  call.on('error', (error) => fail('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'reset'));
  call.end();
  return promise;
}

/** Null: there is no sense in it. */
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
    'version' in value &&
    typeof value.version === 'string' &&
    /^\d\.\d$/u.test(value.version) &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'served' in value &&
    typeof value.served === 'number'
  );
}
