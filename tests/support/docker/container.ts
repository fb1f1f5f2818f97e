// A running container that is removed, by id, when its scope ends.
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { docker, dockerLogs } from './docker.ts';

/** Every container of the tests carries it, with the pid of the run that it belongs to. */
export const containerLabel = 'hotexec-test';

/** Set for the workers of a test run; a script is a run of its own. */
export const runVariable = 'HOTEXEC_TEST_RUN';

export interface ContainerOptions {
  readonly image: string;
  /** Flags of `docker run`. */
  readonly flags?: readonly string[];
  /** What follows the image. */
  readonly args?: readonly string[];
}

/** What the runtime says of the container; a restart in place changes nothing of it. */
export interface ContainerRecord {
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly startedAt: string;
  readonly restartCount: number;
  readonly address: string;
}

export class Container implements AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** Of pid 1, on this machine. */
  readonly pid: number;
  /** Its IP address on the bridge. */
  readonly address: string;

  constructor(name: string, record: ContainerRecord) {
    this.id = record.id;
    this.name = name;
    this.pid = record.pid;
    this.address = record.address;
  }

  /** As the command line names it. */
  get target(): string {
    return `docker/${this.name}`;
  }

  async record(): Promise<ContainerRecord> {
    return await recordOf(this.id);
  }

  async logs(): Promise<string> {
    return await dockerLogs(this.id);
  }

  async exec(...command: readonly string[]): Promise<string> {
    return await docker('exec', this.id, ...command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', '--volumes', this.id);
  }
}

export async function startContainer(options: ContainerOptions): Promise<Container> {
  const name = `hotexec-test-${randomBytes(6).toString('hex')}`;
  const { flags = [], args = [] } = options;
  const label = `${containerLabel}=${process.env[runVariable] ?? process.pid}`;
  const create = ['create', '--name', name, '--label', label, ...flags, options.image, ...args];
  const id = await docker(...create);
  try {
    await docker('start', id);
    return new Container(name, await recordOf(id));
  } catch (error) {
    await docker('rm', '--force', '--volumes', id);
    throw error;
  }
}

/** `docker logs --follow` until the scope ends. */
export function followLogs(container: Container): Disposable & { readonly text: () => string } {
  const child = spawn('docker', ['logs', '--follow', container.id], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return {
    text: () => Buffer.concat(chunks).toString(),
    [Symbol.dispose]: () => void child.kill(),
  };
}

interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: { readonly Pid: number; readonly Status: string; readonly StartedAt: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

async function recordOf(id: string): Promise<ContainerRecord> {
  const inspected = JSON.parse(await docker('inspect', '--format', '{{json .}}', id)) as Inspected;
  return {
    id: inspected.Id,
    pid: inspected.State.Pid,
    status: inspected.State.Status,
    startedAt: inspected.State.StartedAt,
    restartCount: inspected.RestartCount,
    address: inspected.NetworkSettings.Networks['bridge']?.IPAddress ?? '',
  };
}
