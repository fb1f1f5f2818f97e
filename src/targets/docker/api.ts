// GET on Docker's Engine API, over its Unix socket or TCP: two calls, so no client library.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { HotexecError, type ErrorCode } from '../../errors.ts';
import { defaultSocket, formatEndpoint, type DockerEndpoint } from './endpoint.ts';

export interface DockerAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface DockerApi {
  readonly endpoint: DockerEndpoint;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 10_000;
const maxBodyBytes = 16 * 1024 * 1024;

/** The path must be encoded. Any status is an answer; throws HotexecError when there is none. */
export async function dockerGet(path: string, { endpoint, signal }: DockerApi): Promise<DockerAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    const response = await send(endpoint, { path, method: 'GET', signal: either });
    return { status: response.statusCode ?? 0, body: parseBody(await readBody(response)) };
  } catch (error) {
    if (signal?.aborted === true) throw cancelled(signal);
    throw explain(deadline.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error, endpoint);
  }
}

async function send(endpoint: DockerEndpoint, options: RequestOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // Docker answers 400 to a request whose Host is not a valid one; a socket has none.
  const headers = {
    Host: endpoint.kind === 'unix' ? 'docker' : `${endpoint.host}:${endpoint.port}`,
    Connection: 'close',
  };
  const request = await open(endpoint, { ...options, headers });
  request.once('response', resolve).once('error', reject).end();
  return promise;
}

async function open(endpoint: DockerEndpoint, options: RequestOptions): Promise<ReturnType<typeof httpRequest>> {
  if (endpoint.kind === 'unix') return httpRequest({ ...options, socketPath: endpoint.path });
  const { host, port, tls } = endpoint;
  if (tls === null) return httpRequest({ ...options, host, port });
  const { request } = await import('node:https');
  const { ca, cert, key, verify } = tls;
  return request({ ...options, host, port, ca, cert, key, rejectUnauthorized: verify });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const incoming: AsyncIterable<Buffer> = response;
  for await (const bytes of incoming) {
    sizeBytes += bytes.length;
    if (sizeBytes > maxBodyBytes) throw new Error(`an answer of more than ${maxBodyBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 500);
  }
}

function explain(error: unknown, endpoint: DockerEndpoint): HotexecError {
  const { code, message, hint } = sentence(error, endpoint);
  return new HotexecError({ code, message: `${message} Nothing was touched.`, hint }, { cause: error });
}

interface Sentence {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

const otherWays = 'Start Docker, or name its address in DOCKER_HOST. Without Docker a process is named by its pid.';

function sentence(error: unknown, endpoint: DockerEndpoint): Sentence {
  const address = formatEndpoint(endpoint);
  const errno = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        code: 'runtime-unreachable',
        message: `Docker does not run here: there is no ${address}.`,
        hint: otherWays,
      };
    case 'ECONNREFUSED':
      return {
        code: 'runtime-unreachable',
        message: `Docker does not run: nobody listens on ${address}.`,
        hint: otherWays,
      };
    case 'EACCES':
    case 'EPERM': {
      const isDefault = endpoint.kind === 'unix' && endpoint.path === defaultSocket;
      const message = `This user may not talk to Docker on ${address}.`;
      return {
        code: 'not-permitted',
        message,
        hint: isDefault ? 'sudo hotexec … (a restart needs it anyway)' : 'sudo hotexec …',
      };
    }
    default: {
      const words = error instanceof Error ? error.message : String(error);
      return {
        code: 'runtime-unreachable',
        message: `Docker on ${address} does not answer: ${words}.`,
        hint: otherWays,
      };
    }
  }
}

function cancelled(signal: AbortSignal): HotexecError {
  const message = 'Cancelled before anything was touched.';
  return new HotexecError({ code: 'cancelled', message, hint: null }, { cause: signal.reason });
}
