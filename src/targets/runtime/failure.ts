// Why a runtime did not answer, in a sentence.
import { HotexecError, type ErrorCode } from '../../errors.ts';
import type { RuntimeEndpoint } from './endpoint.ts';

export interface RpcFailure {
  /** Of the socket; null: it is not to blame. */
  readonly errno: string | null;
  readonly status: 'unimplemented' | 'not-found' | 'deadline-exceeded' | 'other';
  readonly words: string;
  readonly cause: unknown;
}

interface Asked {
  readonly endpoint: RuntimeEndpoint;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** As CONTAINER_RUNTIME_ENDPOINT would be written. */
export function formatEndpoint({ path }: RuntimeEndpoint): string {
  return `unix://${path}`;
}

export function explain(failure: RpcFailure, asked: Asked): HotexecError {
  const { signal } = asked;
  if (signal?.aborted === true) {
    const message = 'Cancelled before anything was touched.';
    return new HotexecError({ code: 'cancelled', message, hint: null }, { cause: signal.reason });
  }
  const { code, message, hint } = sentence(failure, asked);
  const details = { grpc: failure.status };
  return new HotexecError({ code, message: `${message} Nothing was touched.`, hint, details }, failure);
}

/** Whether whoever listens there answers, and knows nothing of what it was asked: containerd without its CRI plugin. */
export function isUnimplemented({ details }: HotexecError): boolean {
  return details['grpc'] === 'unimplemented';
}

interface Sentence {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
}

const otherWays =
  'Start it, or name its socket: --runtime-endpoint unix:///PATH. Without it a process is named by its pid.';

function sentence({ errno, status, words }: RpcFailure, { endpoint, timeoutMs }: Asked): Sentence {
  const address = formatEndpoint(endpoint);
  const from = endpoint.source === null ? '' : ` (from ${endpoint.source})`;
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return unreachable(`No container runtime is at ${address}${from}: there is no such socket.`);
    case 'ECONNREFUSED':
      return unreachable(`The container runtime does not run: nobody listens on ${address}${from}.`);
    case 'EACCES':
    case 'EPERM': {
      const message = `This user may not talk to the container runtime on ${address}.`;
      return { code: 'not-permitted', message, hint: 'sudo hotexec … (a restart needs it anyway)' };
    }
    default:
      break;
  }
  switch (status) {
    case 'unimplemented':
      return {
        code: 'runtime-unreachable',
        message: `Whoever listens on ${address} does not know this call: ${words}.`,
        hint: 'In /etc/containerd/config.toml, disabled_plugins must not name "cri"; Kubernetes needs it too.',
      };
    case 'not-found':
      return {
        code: 'target-not-found',
        message: `The container runtime on ${address} does not know it: ${words}.`,
        hint: 'hotexec ls lists what runs here.',
      };
    case 'deadline-exceeded':
      return unreachable(
        `The container runtime on ${address} does not answer: no answer within ${timeoutMs / 1000} s.`,
      );
    case 'other':
      return unreachable(`The container runtime on ${address} does not answer: ${words}.`);
  }
}

function unreachable(message: string): Sentence {
  return { code: 'runtime-unreachable', message, hint: otherWays };
}
