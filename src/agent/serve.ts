// `hotexec agent serve`: the resident front of one container. It listens on a socket that only its own user may open, carries out what is
// asked of it, and ends when nobody has wanted anything for a while: an ephemeral container cannot be removed, but its process can go.
import { chmodSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { HotexecError } from '../errors.ts';
import type { StartEngine } from '../front/launch.ts';
import { LocalFront } from '../front/local-front.ts';
import type { AgentAnswer } from '../protocol/agent.ts';
import { makePrivateDirectory } from '../protocol/private-directory.ts';
import { serveConnection, type AgentParts, type RequestMessage } from './connection.ts';
import { EngineAhead } from '../front/engine-ahead.ts';
import { identify, type Surroundings } from './identify.ts';
import { lastingPlaces, type LastingSurroundings } from './lasting.ts';
import { Operations, type Prepared } from './operations.ts';
import { agentSocket, uploadDirectory } from './places.ts';
import { localSources } from './sources.ts';
import { Succession } from './succession.ts';
import { Uploads } from './uploads.ts';

export interface AgentOptions extends Omit<Surroundings, 'ownPid'>, LastingSurroundings {
  readonly runtimeDirectory: string;
  readonly version: string;
  /** Without a word of a client and without an operation, ms. */
  readonly ttlMs: number;
  readonly startEngine: StartEngine;
  /** SIGTERM: what runs is finished, and nothing new begun. */
  readonly signal: AbortSignal;
  readonly onReady: (socket: string) => void;
}

const sweepMs = 1000;
const abandonedMs = 10 * 60_000;
/** For a client that does not read. */
const lastWordsMs = 5000;

/** Resolves when it has ended, for whatever reason. Throws not-permitted where it cannot have its directory. */
export async function serveAgent(options: AgentOptions): Promise<void> {
  beFirstToBeKilled(options.proc);
  const uploads = new Uploads(uploadDirectory(options.runtimeDirectory));
  const operations = new Operations();
  using ahead = new EngineAhead(options.startEngine);
  const startEngine: StartEngine = () => ahead.take();
  const succession = new Succession(startEngine, options.proc);
  const preparing: Preparing = { uploads, succession, options: { ...options, startEngine } };
  let usedMs = performance.now();
  let isEnding = false;
  const parts: AgentParts = {
    version: options.version,
    instance: readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim(),
    operations,
    uploads,
    ahead,
    prepare: (request) => async () => prepare(request, preparing),
    onActivity: () => (usedMs = performance.now()),
    isEnding: () => isEnding,
    telling: new Set(),
  };
  const socket = agentSocket(options.runtimeDirectory);
  await takePlace(socket, options.uid);
  await uploads.clear();
  const connections = new Set<Socket>();
  const server = await listen(socket, (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    void serveConnection({ readable: connection, writable: connection, close: () => connection.destroy() }, parts);
  });
  options.onReady(socket);

  await unused(() => {
    if (operations.isBusy) usedMs = performance.now();
    void uploads.removeAbandoned(abandonedMs, (id) => operations.get(id)?.isRunning === true);
    return options.signal.aborted || performance.now() - usedMs > options.ttlMs;
  }, options.signal);

  // Whoever comes now finds no socket, and not one that is about to go.
  isEnding = true;
  rmSync(socket, { force: true });
  server.close();
  await operations.settled();
  await Promise.race([Promise.all(parts.telling), delay(lastWordsMs, undefined, { ref: false })]);
  for (const connection of connections) connection.end();
  await uploads.clear();
}

/** In a pod that is short of memory the program that is restarted is worth more; engines inherit it. */
function beFirstToBeKilled(proc: string): void {
  try {
    writeFileSync(`${proc}/self/oom_score_adj`, '1000');
  } catch {
    // Anybody may raise it; where /proc is not writable it stays as it is.
  }
}

/** An agent that was killed leaves a socket on which nobody answers. */
async function takePlace(socket: string, uid: number): Promise<void> {
  try {
    makePrivateDirectory(dirname(socket), uid);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HotexecError(
      {
        code: 'not-permitted',
        message: `The agent cannot have its directory: ${why}.`,
        hint: 'HOTEXEC_RUNTIME_DIR names another one',
      },
      { cause: error },
    );
  }
  rmSync(socket, { force: true });
}

async function listen(socket: string, onConnection: (connection: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  server.listen(socket);
  await once(server, 'listening');
  chmodSync(socket, 0o600);
  return server;
}

/** Looks again every second, and at once when asked to end. */
async function unused(isOver: () => boolean, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (isOver()) resolve();
  };
  const timer = setInterval(look, sweepMs);
  signal.addEventListener('abort', look, { once: true });
  look();
  await promise;
  clearInterval(timer);
}

interface Preparing {
  readonly uploads: Uploads;
  readonly succession: Succession;
  readonly options: AgentOptions;
}

async function prepare(request: RequestMessage, { uploads, succession, options }: Preparing): Promise<Prepared> {
  const { operationId, target, asked } = request;
  using stack = new DisposableStack();
  stack.defer(() => void uploads.remove(operationId));
  const around = { ...options, ownPid: Number(readlinkSync(`${options.proc}/self`)) };
  const identified = identify(target, around);
  const lasting = lastingPlaces(identified, options);
  const found = lasting.kind === 'none' ? identified : { ...identified, lasting: lasting.places };
  const front = stack.use(new LocalFront(found, options.startEngine));
  const { asked: here, translate } = localSources(asked, await uploads.place(operationId, request.uploads));
  const risk = asked.kind === 'restart' && lasting.why !== null ? [riskOf(lasting.why)] : [];
  const warnings = [...(await succession.takeOver(found, lasting)), ...risk];
  const all = stack.move();
  return {
    front,
    warnings,
    asked: here,
    translate: (answer) => withWarnings(translate(answer), warnings),
    [Symbol.dispose]: () => all.dispose(),
  };
}

function riskOf(why: string): string {
  return `if the agent is killed in the middle of this, nobody can put it in order: ${why}`;
}

function withWarnings(answer: AgentAnswer, warnings: readonly string[]): AgentAnswer {
  if (answer.kind !== 'restart-result') return answer;
  return { ...answer, result: { ...answer.result, warnings: [...warnings, ...answer.result.warnings] } };
}
