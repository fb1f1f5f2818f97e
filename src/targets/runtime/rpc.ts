// gRPC over a runtime's Unix socket. The only file that knows the gRPC client, which is as large as the rest of the command line: it is loaded
// by openRuntime() alone, and built apart, so that no class of it is one that others know.
import { connect } from 'node:net';
import { Code, ConnectError, createClient, type CallOptions } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Containers } from '../protos/containers_pb.js';
import { Namespaces } from '../protos/namespaces_pb.js';
import { ContainerState, ImageService, PodSandboxState, RuntimeService, Signal } from '../protos/runtime_pb.js';
import { Status, Tasks } from '../protos/tasks_pb.js';
import type { RuntimeApi, Task } from './api.ts';
import type { RuntimeEndpoint } from './endpoint.ts';
import type { RpcFailure } from './failure.ts';

// 110 pods with their annotations are some 100 kB.
const maxAnswerBytes = 64 * 1024 * 1024;
// A socket has no host; runtimes look at none.
const baseUrl = 'http://localhost';

export interface Calling {
  readonly endpoint: RuntimeEndpoint;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Makes what is thrown. */
  readonly fail: (failure: RpcFailure) => Error;
}

export function runtimeApi({ endpoint, timeoutMs, signal, fail }: Calling): RuntimeApi {
  const createConnection = () => connect(endpoint.path);
  const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection });
  const transport = createGrpcTransport({ baseUrl, sessionManager, readMaxBytes: maxAnswerBytes });
  const runtime = createClient(RuntimeService, transport);
  const image = createClient(ImageService, transport);
  const namespaces = createClient(Namespaces, transport);
  const containers = createClient(Containers, transport);
  const tasks = createClient(Tasks, transport);

  const call = async <Answer>(ask: (options: CallOptions) => Promise<Answer>, namespace?: string): Promise<Answer> => {
    const headers = namespace === undefined ? {} : { 'containerd-namespace': namespace };
    try {
      return await ask({ timeoutMs, headers, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      throw fail({ ...failureOf(error), cause: error });
    }
  };

  return {
    endpoint,
    version: async () => {
      const { runtimeName, runtimeVersion } = await call((options) => runtime.version({}, options));
      return { name: runtimeName, version: runtimeVersion };
    },
    sandboxes: async () => {
      const { items } = await call((options) => runtime.listPodSandbox({}, options));
      return items.map(({ id, metadata, state, annotations }) => ({
        id,
        name: metadata?.name ?? '',
        namespace: metadata?.namespace ?? '',
        attempt: metadata?.attempt ?? 0,
        ready: state === PodSandboxState.SANDBOX_READY,
        annotations,
      }));
    },
    containers: async () => {
      const listed = await call((options) => runtime.listContainers({}, options));
      return listed.containers.map(({ id, podSandboxId, metadata, state }) => ({
        id,
        sandboxId: podSandboxId,
        name: metadata?.name ?? '',
        state: stateOf(state),
      }));
    },
    status: async (id) => {
      const { status, info } = await call((options) =>
        runtime.containerStatus({ containerId: id, verbose: true }, options),
      );
      return {
        state: stateOf(status?.state),
        exitCode: status?.exitCode ?? 0,
        image: status?.imageRef || (status?.image?.image ?? ''),
        annotations: status?.annotations ?? {},
        stopSignal: signalName(status?.stopSignal),
        info: info['info'] ?? null,
      };
    },
    imageInfo: async (name) => {
      const { info } = await call((options) => image.imageStatus({ image: { image: name }, verbose: true }, options));
      return info['info'] ?? null;
    },
    namespaces: async () => {
      const listed = await call((options) => namespaces.list({}, options));
      return listed.namespaces.map(({ name }) => name);
    },
    containersIn: async (namespace) => {
      const listed = await call((options) => containers.list({}, options), namespace);
      return listed.containers.map(({ id, labels, spec }) => ({
        id,
        labels,
        // types.containerd.io/opencontainers/runtime-spec/1/Spec: JSON, against what an Any holds elsewhere.
        spec: spec?.typeUrl.includes('opencontainers/runtime-spec') === true ? textOf(spec.value) : null,
      }));
    },
    tasksIn: async (namespace) => {
      const listed = await call((options) => tasks.list({}, options), namespace);
      return listed.tasks.map(({ containerId, id, pid, status, exitStatus }) => ({
        containerId: containerId || id,
        pid,
        state: taskState(status),
        exitCode: exitStatus,
      }));
    },
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function stateOf(state: ContainerState | undefined): 'created' | 'running' | 'exited' | 'unknown' {
  switch (state) {
    case ContainerState.CONTAINER_CREATED:
      return 'created';
    case ContainerState.CONTAINER_RUNNING:
      return 'running';
    case ContainerState.CONTAINER_EXITED:
      return 'exited';
    case ContainerState.CONTAINER_UNKNOWN:
    case undefined:
      return 'unknown';
  }
}

function taskState(status: Status): Task['state'] {
  switch (status) {
    case Status.CREATED:
      return 'created';
    case Status.RUNNING:
      return 'running';
    case Status.STOPPED:
      return 'stopped';
    case Status.PAUSED:
    case Status.PAUSING:
      return 'paused';
    case Status.UNKNOWN:
      return 'unknown';
  }
}

/** `SIGRTMINPLUS3` is `RTMIN+3` elsewhere. A number that is younger than this list has no name. */
function signalName(signal: Signal | undefined): string | null {
  if (signal === undefined || signal === Signal.RUNTIME_DEFAULT) return null;
  const name: string | undefined = Signal[signal];
  return name?.replace('PLUS', '+').replace('MINUS', '-') ?? null;
}

function failureOf(error: unknown): Omit<RpcFailure, 'cause'> {
  const { code, rawMessage } = ConnectError.from(error);
  return { errno: errnoIn(error), status: statusOf(code), words: rawMessage };
}

function statusOf(code: Code): RpcFailure['status'] {
  switch (code) {
    case Code.Unimplemented:
      return 'unimplemented';
    case Code.NotFound:
      return 'not-found';
    case Code.DeadlineExceeded:
      return 'deadline-exceeded';
    default:
      return 'other';
  }
}

/** Of the socket, however deep the client has wrapped it. */
function errnoIn(error: unknown): string | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && /^E[A-Z]+$/.test(current.code)) return current.code;
  }
  return null;
}
