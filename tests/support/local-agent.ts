// An agent in this process, on a real socket, with engines that behave as told.
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { ByteStream } from '../../src/agent/byte-stream.ts';
import { AgentFront } from '../../src/agent/client.ts';
import { agentSocket } from '../../src/agent/places.ts';
import { serveAgent } from '../../src/agent/serve.ts';
import type { AgentTarget } from '../../src/protocol/agent.ts';
import { fakeEngines } from './fake-engines.ts';
import { agent, agentTarget, app, withMemory } from './pod-processes.ts';
import { writeProc } from './proc-tree.ts';
import { tempDirectory } from './temp.ts';

export interface LocalAgent {
  readonly directory: string;
  readonly socket: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

export interface LocalAgentOptions {
  readonly engines: readonly string[];
  /** Of an agent that is to be succeeded. */
  readonly directory?: string;
  readonly record?: string;
}

export async function startLocalAgent({ engines, directory, record }: LocalAgentOptions): Promise<LocalAgent> {
  const runtimeDirectory = directory ?? join(tempDirectory(), 'agent');
  mkdirSync(runtimeDirectory, { recursive: true, mode: 0o700 });
  const sharedMemory = tempDirectory();
  chmodSync(sharedMemory, 0o1777);
  const proc = writeProc(
    tempDirectory(),
    [app, agent].map((process) => withMemory(process, sharedMemory)),
  );
  rmSync(join(proc, 'self'), { recursive: true });
  symlinkSync(String(agent.pid), join(proc, 'self'));
  const fakes = fakeEngines(engines, record);
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const ended = serveAgent({
    runtimeDirectory,
    uid: process.getuid?.() ?? 0,
    version: '1.2.3',
    ttlMs: 60_000,
    proc,
    sharedMemory,
    ownStartMs: performance.timeOrigin,
    startEngine: fakes.start,
    signal: stop.signal,
    onReady: ready.resolve,
  });
  onTestFinished(() => {
    stop.abort();
    for (const engine of fakes.started) engine.kill();
  });
  return { directory: runtimeDirectory, socket: await ready.promise, ended, stop: () => stop.abort() };
}

export interface LocalFrontOptions {
  readonly target?: AgentTarget;
  readonly reconnectMs?: number;
  /** Of each way to the agent, counted from 1: what the bytes go through. */
  readonly through?: (way: number) => Transform | null;
}

export interface OpenFront {
  readonly front: AgentFront;
  readonly ways: () => number;
  readonly cut: () => void;
}

export function frontOf({ directory }: Pick<LocalAgent, 'directory'>, options: LocalFrontOptions = {}): OpenFront {
  const { target = agentTarget, reconnectMs = 5000, through = () => null } = options;
  const ways: ByteStream[] = [];
  const open = async (): Promise<ByteStream> => {
    const socket = connect(agentSocket(directory));
    const transform = through(ways.length + 1);
    transform?.pipe(socket);
    const way = { readable: socket, writable: transform ?? socket, close: () => void socket.destroy() };
    socket.once('close', () => transform?.destroy());
    ways.push(way);
    return Promise.resolve(way);
  };
  const front = new AgentFront({ target, version: '1.2.3', open, reconnectMs });
  return { front, ways: () => ways.length, cut: () => ways.at(-1)?.close() };
}

/** Turns one bit over, so many bytes after the beginning. */
export function damaging(at: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.from(chunk);
      const index = at - passed;
      if (index >= 0 && index < bytes.length) bytes[index] = (bytes[index] ?? 0) ^ 1;
      passed += bytes.length;
      done(null, bytes);
    },
  });
}
