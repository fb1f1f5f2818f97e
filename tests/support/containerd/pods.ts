// Pods of a containerd without Kubernetes: made over CRI as the kubelet makes them, with the annotations that it writes.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createClient, type Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { httpGet } from '../docker/talk.ts';
import { until } from '../until.ts';
import { criNamespace, logDirectory, type Containerd } from './daemon.ts';
import { freePort } from './port.ts';
import { ImageService, NamespaceMode, RuntimeService } from './pods_pb.js';

export interface PodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly containers: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** shareProcessNamespace */
  readonly sharesPids?: boolean;
  /** terminationGracePeriodSeconds */
  readonly graceSeconds?: number;
}

export interface Pod extends AsyncDisposable {
  readonly sandboxId: string;
  readonly containers: readonly PodContainer[];
  /** Ends a container as the kubelet does. */
  readonly stop: (container: PodContainer) => Promise<void>;
}

export interface PodContainer {
  readonly name: string;
  readonly id: string;
  readonly port: number;
  /** What the program says of this run. */
  readonly ask: () => Promise<string>;
  /** As kubectl logs reads it. */
  readonly logs: () => Promise<string>;
}

interface NamespaceOptions {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
}

// No network namespace of its own: that would take a plugin.
function namespaceOptionsOf({ sharesPids = false }: PodOptions): NamespaceOptions {
  const pid = sharesPids ? NamespaceMode.POD : NamespaceMode.CONTAINER;
  return { network: NamespaceMode.NODE, pid, ipc: NamespaceMode.POD };
}

export async function startPod(containerd: Containerd, options: PodOptions): Promise<Pod> {
  const transport = createGrpcTransport({
    baseUrl: 'http://localhost',
    nodeOptions: { createConnection: () => connect(containerd.socket) },
  });
  const runtime = createClient(RuntimeService, transport);
  const image = await containerd.image(criNamespace);
  await knowsImage(createClient(ImageService, transport), image);
  const { name, namespace, annotations = {} } = options;
  const namespaceOptions = namespaceOptionsOf(options);
  const config = {
    metadata: { name, namespace, uid: randomUUID(), attempt: 0 },
    logDirectory: await logDirectory(containerd),
    annotations,
    linux: { securityContext: { namespaceOptions } },
  };
  const { podSandboxId } = await runtime.runPodSandbox({ config });
  const remove = async (): Promise<void> => {
    await runtime.stopPodSandbox({ podSandboxId });
    await runtime.removePodSandbox({ podSandboxId });
  };
  const start = async (container: string): Promise<PodContainer> =>
    await startContainer(runtime, { container, podSandboxId, config, image, graceSeconds: options.graceSeconds ?? 30 });
  try {
    const containers: PodContainer[] = [];
    for (const container of options.containers) containers.push(await start(container));
    return {
      sandboxId: podSandboxId,
      containers,
      stop: async ({ id }) => void (await runtime.stopContainer({ containerId: id })),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The part of containerd that speaks CRI hears of an image a moment after it was imported. */
async function knowsImage(images: Client<typeof ImageService>, image: string): Promise<void> {
  await until(`CRI knows ${image}`, async () => (await images.imageStatus({ image: { image } })).image !== undefined);
}

interface Starting {
  readonly container: string;
  readonly podSandboxId: string;
  readonly config: {
    readonly metadata: { readonly name: string };
    readonly logDirectory: string;
    readonly linux: { readonly securityContext: { readonly namespaceOptions: NamespaceOptions } };
  };
  readonly image: string;
  readonly graceSeconds: number;
}

async function startContainer(
  runtime: Client<typeof RuntimeService>,
  { container, podSandboxId, config, image, graceSeconds }: Starting,
): Promise<PodContainer> {
  const port = await freePort();
  const logPath = `${podSandboxId.slice(0, 12)}-${container}.log`;
  const { containerId } = await runtime.createContainer({
    podSandboxId,
    sandboxConfig: config,
    config: {
      metadata: { name: container },
      image: { image },
      envs: [{ key: 'PORT', value: String(port) }],
      annotations: { 'io.kubernetes.pod.terminationGracePeriod': String(graceSeconds) },
      logPath,
      linux: config.linux,
    },
  });
  await runtime.startContainer({ containerId });
  const ask = async (): Promise<string> =>
    await until(`${container} answers`, async () => await httpGet('127.0.0.1', port));
  await ask();
  const logs = async (): Promise<string> => await readFile(join(config.logDirectory, logPath), 'utf8');
  return { name: container, id: containerId, port, ask, logs };
}
