// What hotexec asks of a container runtime over its socket, as plain data: CRI (containerd, CRI-O), and containerd's own API. How it is
// asked is in rpc.ts, which brings a gRPC client and is loaded for nothing else.
import type { RuntimeEndpoint } from './endpoint.ts';
import { explain } from './failure.ts';

/** Every call rejects with a HotexecError. */
export interface RuntimeApi extends Disposable {
  readonly endpoint: RuntimeEndpoint;
  /** CRI: `containerd`, `1.6.20`. */
  readonly version: () => Promise<RuntimeVersion>;
  /** CRI: pods, also those that have ended and are not removed yet. */
  readonly sandboxes: () => Promise<readonly Sandbox[]>;
  /** CRI: containers in any state, without the pods' own. */
  readonly containers: () => Promise<readonly CriContainer[]>;
  readonly status: (id: string) => Promise<CriStatus>;
  /** CRI: JSON of what the image says; null where the runtime does not tell. */
  readonly imageInfo: (image: string) => Promise<string | null>;
  /** containerd: */
  readonly namespaces: () => Promise<readonly string[]>;
  /** containerd: what can run, of one namespace. */
  readonly containersIn: (namespace: string) => Promise<readonly ContainerdContainer[]>;
  /** containerd: what does run, of one namespace. */
  readonly tasksIn: (namespace: string) => Promise<readonly Task[]>;
}

export interface RuntimeVersion {
  readonly name: string;
  readonly version: string;
}

export interface Sandbox {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly ready: boolean;
  /** The pod's own, where the kubelet made it. */
  readonly annotations: Readonly<Record<string, string>>;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface CriContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly state: ContainerState;
}

export interface CriStatus {
  readonly state: ContainerState;
  readonly exitCode: number;
  readonly image: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** As `SIGQUIT`; null: the image's, or not told. */
  readonly stopSignal: string | null;
  /** JSON: the pid, the OCI runtime spec, the configuration; null where the runtime does not tell. */
  readonly info: string | null;
}

export interface ContainerdContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** JSON: the OCI runtime spec; null: it has none, or in another form. */
  readonly spec: string | null;
}

export interface Task {
  readonly containerId: string;
  readonly pid: number;
  readonly state: 'created' | 'running' | 'stopped' | 'paused' | 'unknown';
  readonly exitCode: number;
}

// A runtime under load, or one whose disk is slow, takes its time; a socket that nobody serves does not answer at all.
const timeoutMs = 10_000;

/** Nothing is asked yet. */
export async function openRuntime(endpoint: RuntimeEndpoint, signal: AbortSignal | undefined): Promise<RuntimeApi> {
  const { runtimeApi } = await import('./rpc.ts');
  const asked = { endpoint, timeoutMs, signal };
  return runtimeApi({ ...asked, fail: (failure) => explain(failure, asked) });
}
