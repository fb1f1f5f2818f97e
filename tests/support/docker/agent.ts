// The agent beside a container, as Kubernetes starts it: its image as deploy/build-image.ts packs it, in the target's process namespace,
// with one capability; and `docker exec` of the relay as the way to it.
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { imageArchive } from '../../../deploy/archive.ts';
import { partsFor } from '../../../deploy/parts.ts';
import { hotexecLayer, imageConfig, nodeLayer } from '../../../deploy/root.ts';
import manifest from '../../../package.json' with { type: 'json' };
import type { ByteStream } from '../../../src/agent/byte-stream.ts';
import { AgentFront } from '../../../src/agent/client.ts';
import type { AgentTarget } from '../../../src/protocol/agent.ts';
import { until } from '../until.ts';
import { startContainer, type Container } from './container.ts';
import { docker, dockerWithInput } from './docker.ts';
import { removeOthers } from './image.ts';
import { answers, imageOfProgram, type Program } from './program.ts';

/** Loaded unless this very image is there. */
async function agentImage(): Promise<string> {
  return await (loaded ??= load());
}

let loaded: Promise<string> | undefined;

async function load(): Promise<string> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layers = [nodeLayer(partsFor(architecture)), hotexecLayer()];
  const { version } = manifest;
  const hash = createHash('sha256').update(JSON.stringify(imageConfig));
  for (const { path, mode, read } of layers.flat()) hash.update(`${path} ${mode}`).update((await read?.()) ?? '');
  const reference = `hotexec-test/agent:${hash.digest('hex').slice(0, 16)}`;
  if ((await docker('image', 'ls', '--quiet', reference)) !== '') return reference;
  const { tar } = await imageArchive({
    reference,
    architecture,
    version,
    config: imageConfig,
    layers,
    compress: false,
  });
  await dockerWithInput(['load'], tar);
  await removeOthers('hotexec-test/agent', reference);
  return reference;
}

export interface Pod extends AsyncDisposable {
  readonly container: Container;
  readonly target: AgentTarget;
  startAgent(how?: AgentOptions): Promise<Agent>;
}

export interface AgentOptions {
  /** Of `docker run`, in place of the one capability. */
  readonly flags?: readonly string[];
  /** Of `agent serve`. */
  readonly args?: readonly string[];
  /** Whose processes it sees; null: its own alone. Without it those of the container. */
  readonly share?: Container | null;
  /** `private`: it has a /dev/shm of its own. */
  readonly ipc?: 'private';
}

/** A container that looks as one of the kubelet's: the file for its last words tells whose it is. `directory`: for that file. */
export async function startPod(
  program: Program,
  { directory, flags = [] }: { readonly directory: string; readonly flags?: readonly string[] },
): Promise<Pod> {
  const uid = randomUUID();
  const words = join(directory, `pods/${uid}/containers/app`);
  mkdirSync(words, { recursive: true });
  writeFileSync(join(words, '1a2b3c4d'), '');
  const mount = ['--volume', `${words}/1a2b3c4d:/dev/termination-log`];
  const container = await startContainer({
    image: await imageOfProgram(program),
    flags: [...mount, ...asInPods, ...flags],
  });
  await answers(program, container);
  const { startedAt } = await container.record();
  const target: AgentTarget = {
    name: 'pod/web-0',
    pod: { namespace: 'default', name: 'web-0', uid },
    container: { name: 'app', id: container.id, runtime: 'docker' },
    startedAt,
    spec: null,
  };
  const agents: Container[] = [];
  return {
    container,
    target,
    startAgent: async (how = {}) => {
      const agent = await startAgent(container, how);
      agents.push(agent.container);
      return agent;
    },
    [Symbol.asyncDispose]: async () => {
      for (const agent of agents) await agent[Symbol.asyncDispose]();
      await container[Symbol.asyncDispose]();
    },
  };
}

/** A pod that says nothing of seccomp has none; its containers have one IPC namespace and one /dev/shm. */
const asInPods: readonly string[] = ['--security-opt=seccomp=unconfined', '--ipc=shareable'];

/** All that an agent is given in a pod. */
export const oneCapability: readonly string[] = [
  '--cap-drop=ALL',
  '--cap-add=SYS_PTRACE',
  '--security-opt=no-new-privileges',
];

async function startAgent(target: Container, options: AgentOptions): Promise<Agent> {
  const { flags = oneCapability, args = [], share = target, ipc = `container:${target.id}` } = options;
  const beside = [
    `--network=container:${target.id}`,
    `--ipc=${ipc}`,
    ...(share === null ? [] : [`--pid=container:${share.id}`]),
  ];
  const container = await startContainer({ image: await agentImage(), flags: [...beside, ...flags], args });
  await until('the agent listens', async () => (await container.logs()).includes('the agent listens'));
  return new Agent(container);
}

export interface FrontOptions {
  /** Of what the client sends; of the first connection alone. */
  readonly cutAfterBytes?: number;
  readonly reconnectMs?: number;
  readonly version?: string;
}

export class Agent {
  readonly container: Container;
  /** How often a way to it was opened. */
  opened = 0;
  /** The ways that are open: the docker command of each. */
  readonly #ways = new Set<Way>();

  constructor(container: Container) {
    this.container = container;
  }

  front(target: AgentTarget, options: FrontOptions = {}): AgentFront {
    const { cutAfterBytes = Number.POSITIVE_INFINITY, reconnectMs = 15_000, version = manifest.version } = options;
    return new AgentFront({
      target,
      version,
      reconnectMs,
      open: async () => {
        this.opened += 1;
        const way = new Way(this.container, this.opened === 1 ? cutAfterBytes : Number.POSITIVE_INFINITY);
        this.#ways.add(way);
        return await Promise.resolve(way);
      },
    });
  }

  /** As a network that goes away. */
  cut(): void {
    for (const way of this.#ways) way.close();
    this.#ways.clear();
  }

  /** Its memory, in bytes: what it has for itself, without what it shares with other Nodes. */
  residentBytes(): number {
    const status = execFileSync('cat', [`/proc/${this.container.pid}/status`], { encoding: 'utf8' });
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }
}

class Way implements ByteStream {
  readonly readable: ByteStream['readable'];
  readonly writable = new PassThrough();
  readonly #child;

  constructor({ id }: Container, cutAfterBytes: number) {
    const child = spawn('docker', ['exec', '-i', id, 'hotexec', 'agent', 'relay'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {});
    this.#child = child;
    this.readable = child.stdout;
    this.writable.pipe(child.stdin);
    let sentBytes = 0;
    this.writable.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
      if (sentBytes > cutAfterBytes) this.close();
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
    this.writable.destroy();
    this.readable.destroy();
  }
}
