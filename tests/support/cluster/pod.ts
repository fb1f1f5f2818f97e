// A pod of the cluster: what the API says of it, its logs, commands in it, and its processes on this machine.
import type { Program } from '../docker/program.ts';
import { until } from '../until.ts';
import { kubectl } from './kubectl.ts';
import { apiGet } from './machine/api.ts';
import { ctr } from './machine/runtime.ts';
import { apply, type Data, type Manifest } from './manifest.ts';

const timeoutMs = 60_000;

/** What the API says of a container; a restart in place changes nothing of it. */
export interface PodRecord {
  readonly uid: string;
  readonly address: string;
  readonly node: string;
  readonly phase: string;
  readonly isReady: boolean;
  readonly containers: Readonly<Record<string, ContainerInPod>>;
}

export interface ContainerInPod {
  /** Bare hex; empty: there is none yet. */
  readonly id: string;
  readonly restartCount: number;
  readonly isReady: boolean;
  /** `running`, `waiting: ErrImagePull`, `terminated: Error`. */
  readonly state: string;
  readonly startedAt: string;
}

export class Pod {
  readonly namespace: string;
  readonly name: string;

  constructor(namespace: string, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  /** As the command line names it. */
  get target(): string {
    return `pod/${this.name}`;
  }

  async record(): Promise<PodRecord> {
    const path = `/api/v1/namespaces/${this.namespace}/pods/${this.name}`;
    const { status, body } = await apiGet(path);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
    return recordIn(JSON.parse(body) as PodObject);
  }

  /** Waits for what is told of it; the pod's last state is told when it does not come. */
  async becomes(what: string, isSo: (record: PodRecord) => boolean): Promise<PodRecord> {
    let last: PodRecord | undefined;
    const probe = async (): Promise<PodRecord | false> => {
      last = await this.record();
      return isSo(last) && last;
    };
    return await until(`${this.name} becomes ${what}`, probe, { timeoutMs, pauseMs: 30 }).catch((cause: unknown) => {
      throw new Error(`${this.name} did not become ${what}: ${JSON.stringify(last)}`, { cause });
    });
  }

  async isReady(): Promise<PodRecord> {
    return await this.becomes('ready', (record) => record.isReady);
  }

  async container(name = 'app'): Promise<ContainerInPod> {
    const found = (await this.record()).containers[name];
    if (found === undefined) throw new Error(`${this.name} has no container ${name}`);
    return found;
  }

  /** Of the container's first process, on this machine. */
  async pid(container = 'app'): Promise<number> {
    const { id } = await this.container(container);
    const line = (await ctr('tasks', 'list')).split('\n').find((task) => task.startsWith(id));
    if (id === '' || line === undefined) throw new Error(`${this.name}: no process of container ${container}`);
    return Number(line.split(/\s+/)[1]);
  }

  async logs(container = 'app', ...flags: readonly string[]): Promise<string> {
    return await kubectl('logs', '--namespace', this.namespace, this.name, '--container', container, ...flags);
  }

  /** In the container `app`. */
  async exec(...command: readonly string[]): Promise<string> {
    return await this.execIn('app', command);
  }

  async execIn(container: string, command: readonly string[]): Promise<string> {
    const where = ['--namespace', this.namespace, this.name, '--container', container];
    return await kubectl('exec', ...where, '--', ...command);
  }

  /** Adds an ephemeral container and waits until it runs. */
  async addEphemeral(container: Data & { readonly name: string }): Promise<void> {
    const patch = JSON.stringify({ spec: { ephemeralContainers: [container] } });
    const flags = ['--subresource', 'ephemeralcontainers', '--patch', patch];
    await kubectl('patch', 'pod', '--namespace', this.namespace, this.name, ...flags);
    await this.becomes(`one with ${container.name} running`, (record) => {
      return record.containers[container.name]?.state === 'running';
    });
  }
}

/** Made, and ready. */
export async function startPod(namespace: string, manifest: Manifest): Promise<Pod> {
  await apply(namespace, manifest);
  const pod = new Pod(namespace, manifest.metadata.name);
  await pod.isReady();
  return pod;
}

/** Waits until the program serves on all its ports, and gives what it says of this run. */
export async function answersIn(pod: Pod, program: Program, container = 'app'): Promise<string> {
  const { address } = await pod.record();
  const ask = async (): Promise<string> => await program.ask({ address, pid: await pod.pid(container) });
  return await until(`${program.name} answers in ${pod.name}`, ask, { timeoutMs, pauseMs: 50 });
}

interface PodObject {
  readonly metadata: { readonly uid: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly initContainerStatuses?: readonly StatusObject[];
    readonly containerStatuses?: readonly StatusObject[];
    readonly ephemeralContainerStatuses?: readonly StatusObject[];
  };
}

interface StatusObject {
  readonly name: string;
  readonly containerID?: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: Readonly<Record<string, { readonly reason?: string; readonly startedAt?: string }>>;
}

function recordIn({ metadata, spec, status }: PodObject): PodRecord {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status;
  const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  return {
    uid: metadata.uid,
    address: status.podIP ?? '',
    node: spec.nodeName ?? '',
    phase: status.phase,
    isReady: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
    containers: Object.fromEntries(all.map((container) => [container.name, containerIn(container)])),
  };
}

function containerIn({ containerID = '', restartCount, ready, state }: StatusObject): ContainerInPod {
  const [kind = 'waiting', { reason, startedAt = '' } = {}] = Object.entries(state)[0] ?? [];
  return {
    id: containerID.replace(/^.*:\/\//, ''),
    restartCount,
    isReady: ready,
    state: reason === undefined ? kind : `${kind}: ${reason}`,
    startedAt,
  };
}
