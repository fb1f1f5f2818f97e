// Requests to the API server. What it answers is checked where it comes in; what it refuses is an ApiError, which src/targets/kubernetes/refusal.ts
// says in words.
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { HotexecError } from '../../errors.ts';
import type { Cluster, Credentials } from './kubeconfig.ts';

/** The API server's own refusal. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** `Forbidden`, `NotFound`, `Invalid`; empty where none was given. */
  readonly reason: string;

  constructor({
    status,
    reason,
    message,
  }: {
    readonly status: number;
    readonly reason: string;
    readonly message: string;
  }) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export interface ClusterApi extends Disposable {
  readonly cluster: Cluster;
  /** Rejects with ApiError, or with HotexecError where there is no answer. */
  readonly get: <Output>(path: string, schema: Schema<Output>) => Promise<Output>;
  readonly send: <Output>(message: Message, schema: Schema<Output>) => Promise<Output>;
}

type Schema<Output> = v.GenericSchema<unknown, Output>;

export interface Message {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly contentType: 'application/json' | 'application/merge-patch+json' | 'application/strategic-merge-patch+json';
  readonly body: object;
}

/** How the API is written in a path: names come from the API or have been checked. */
export function apiPath(
  words: readonly string[],
  query: Readonly<Record<string, string | readonly string[]>> = {},
): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name, one]),
  );
  const path = words.map((word) => encodeURIComponent(word)).join('/');
  return `/${path}${pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`}`;
}

export function openApi(cluster: Cluster, { signal }: { readonly signal?: AbortSignal | undefined } = {}): ClusterApi {
  const agents: Agent[] = [];
  const ask = async (asked: Asked): Promise<unknown> => {
    const credentials = await cluster.credentials();
    const { agent } = credentials.tls;
    // The client library's agent knows of proxies; it is asked to keep its connections, for a handshake costs more than a question.
    if (agent instanceof Agent && !agents.includes(agent)) agents.push(keepingAlive(agent));
    return exchange(`${cluster.server}${asked.path}`, asked, { ...credentials, signal });
  };
  return {
    cluster,
    get: async (path, schema) => checked(await ask({ method: 'GET', path }), schema, path),
    send: async (message, schema) => checked(await ask(message), schema, message.path),
    [Symbol.dispose]: () => {
      for (const agent of agents) agent.destroy();
    },
  };
}

type Asked = Message | { readonly method: 'GET'; readonly path: string };

function keepingAlive(agent: Agent): Agent {
  return Object.assign(agent, { keepAlive: true, options: { ...agent.options, keepAlive: true } });
}

/** Of one question; the API server's own limit is 60 s. */
const answerWithinMs = 30_000;

interface Sending extends Credentials {
  readonly signal: AbortSignal | undefined;
}

async function exchange(url: string, asked: Asked, options: Sending): Promise<unknown> {
  try {
    const response = await roundTrip(url, asked, options);
    const body = parseJson(await text(response));
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return body;
    throw apiError(status, body);
  } catch (error) {
    throw error instanceof ApiError ? error : unreachable(url, error, options.signal);
  }
}

async function roundTrip(url: string, asked: Asked, { tls, headers, signal }: Sending): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(
    url,
    {
      ...tls,
      signal,
      method: asked.method,
      timeout: answerWithinMs,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'hotexec',
        ...(asked.method === 'GET' ? {} : { 'content-type': asked.contentType }),
      },
    },
    resolve,
  );
  request.on('error', reject);
  request.on('timeout', () => request.destroy(new Error(`no answer within ${answerWithinMs / 1000} s`)));
  request.end(asked.method === 'GET' ? undefined : JSON.stringify(asked.body));
  return promise;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body.slice(0, 500); // a proxy's page, or an old server's plain text
  }
}

const statusSchema = v.object({ message: v.nullish(v.string(), ''), reason: v.nullish(v.string(), '') });

export function apiError(status: number, body: unknown): ApiError {
  const parsed = v.safeParse(statusSchema, body);
  if (parsed.success) return new ApiError({ status, ...parsed.output });
  return new ApiError({ status, reason: '', message: typeof body === 'string' ? body.trim() : '' });
}

function checked<Output>(body: unknown, schema: Schema<Output>, path: string): Output {
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new HotexecError({
    code: 'runtime-unreachable',
    message: `The API server answers strangely at ${path.split('?')[0]}: ${v.getDotPath(issue) ?? ''} ${issue.message}. Nothing was touched.`,
    hint: null,
  });
}

/** No answer: the network, TLS, or a cancel. */
function unreachable(url: string, cause: unknown, signal?: AbortSignal): HotexecError {
  if (signal?.aborted === true)
    return new HotexecError(
      { code: 'cancelled', message: 'Cancelled before anything was touched.', hint: null },
      { cause },
    );
  const why = cause instanceof Error ? reasonOf(cause) : String(cause);
  return new HotexecError(
    {
      code: 'runtime-unreachable',
      message: `The API server at ${new URL(url).host} does not answer: ${why}.`,
      hint: 'kubectl cluster-info asks the same server.',
    },
    { cause },
  );
}

function reasonOf(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(asError(cause.errors[0]));
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
