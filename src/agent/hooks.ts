// The container's lifecycle hooks, as the kubelet runs them (pkg/kubelet/lifecycle/handlers.go): a sleep and a request are the agent's, which is
// in the network of the pod; a command is the client's, which may exec into the container.
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentAsked } from '../protocol/agent.ts';
import type { HookAction, HookEnd, RunHook } from '../protocol/hook.ts';

/** One that connects again does so within seconds. */
const goneAfterMs = 20_000;
const lookEveryMs = 1000;

/** The ends that a client tells, perhaps twice, and perhaps to another connection than the one that it heard of the hook on. */
export class ClientHooks {
  readonly #ends = new Map<number, PromiseWithResolvers<HookEnd>>();
  #connections = 0;
  #aloneSinceMs = performance.now();

  joined(): void {
    this.#connections += 1;
  }

  left(): void {
    this.#connections -= 1;
    this.#aloneSinceMs = performance.now();
  }

  async end(number: number): Promise<HookEnd> {
    const { promise, resolve } = this.#of(number);
    const look = setInterval(() => {
      const isAlone = this.#connections === 0 && performance.now() - this.#aloneSinceMs > goneAfterMs;
      if (isAlone) resolve(clientGone);
    }, lookEveryMs);
    try {
      return await promise;
    } finally {
      clearInterval(look);
    }
  }

  ended(number: number, end: HookEnd): void {
    this.#of(number).resolve(end);
  }

  #of(number: number): PromiseWithResolvers<HookEnd> {
    const known = this.#ends.get(number) ?? Promise.withResolvers<HookEnd>();
    this.#ends.set(number, known);
    return known;
  }
}

const clientGone: HookEnd = {
  end: 'unknown',
  exitCode: null,
  why: 'was perhaps not run, or not to its end: whoever asked for the restart is not connected any more',
};

export function hookRunner(asked: AgentAsked, client: ClientHooks): RunHook {
  const hooks = asked.kind === 'restart' ? asked.options.hooks : undefined;
  return async (due, signal) => {
    const action = hooks?.[due.hook] ?? null;
    if (action === null) return failed('could not be run: nothing is known of it');
    return action.kind === 'exec' ? client.end(due.number) : run(action, signal);
  };
}

async function run(action: Exclude<HookAction, { readonly kind: 'exec' }>, signal: AbortSignal): Promise<HookEnd> {
  try {
    if (action.kind === 'sleep') await delay(action.ms, undefined, { signal });
    else await get(action, signal);
    return { end: 'succeeded', exitCode: null, why: null };
  } catch (error) {
    return failed(`failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function failed(why: string): HookEnd {
  return { end: 'failed', exitCode: null, why };
}

type HttpGet = Extract<HookAction, { readonly kind: 'httpGet' }>;

/** Whatever is answered is a success; the certificate is nobody's, and redirects are not followed. */
async function get({ scheme, host, port, path, headers }: HttpGet, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = { host, port, path, headers: headersOf(headers), signal, agent: false, rejectUnauthorized: false };
  const onAnswer = (response: IncomingMessage): void => {
    response.resume();
    response.once('close', resolve);
  };
  const request: ClientRequest = scheme === 'https' ? requestHttps(options, onAnswer) : requestHttp(options, onAnswer);
  request.once('error', reject);
  request.end();
  await promise;
}

/** Several of one name are sent as they are. */
function headersOf(headers: HttpGet['headers']): Record<string, string[]> {
  const all: Record<string, string[]> = { 'User-Agent': ['hotexec'] };
  for (const [name, value] of headers) {
    const known = Object.keys(all).find((other) => other.toLowerCase() === name.toLowerCase());
    if (known === undefined) all[name] = [value];
    else if (known === 'User-Agent' && all[known]?.[0] === 'hotexec') all[known] = [value];
    else all[known]?.push(value);
  }
  return all;
}
