// Waiting for an agent that has been put into a pod: it is asked itself, since the API server hears of it late, and the pod's status tells why it does not come.
import { setTimeout as sleep } from 'node:timers/promises';
import { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import type { ExecStream } from './exec.ts';
import { podName, podSchema, statusOf, type Pod } from './pod.ts';
import { refusalOf } from './refusal.ts';
import { tryRelay } from './relay.ts';

// From these the kubelet comes back only when somebody else does something.
const hopeless: ReadonlySet<string> = new Set([
  'ErrImageNeverPull',
  'InvalidImageName',
  'ErrImagePull',
  'ImagePullBackOff',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

export interface Waiting {
  readonly api: ClusterApi;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What is being waited for, as a clause. */
  readonly onProgress: (doing: string) => void;
  /** What it waits for has failed before, and is being tried again in ever longer intervals. */
  readonly isPatient: boolean;
}

interface Named {
  /** Of the agent's container. */
  readonly name: string;
}

/** An agent that comes at all comes in the first seconds. Each try stands in the audit log. */
const [shortestPauseMs, longestPauseMs] = [100, 1000];

/** The way on which it was heard; null: it runs, as the API server says. Throws HotexecError. */
export async function waitUntilRuns(agent: Named, pod: Pod, how: Waiting): Promise<ExecStream | null> {
  const { api, timeoutMs, signal, onProgress, isPatient } = how;
  const startedMs = performance.now();
  let said = 'not seen by the kubelet yet';
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs = performance.now() - startedMs) {
    onProgress(`waiting for the agent (${said})`);
    await pause(Math.min(Math.max(waitedMs / 20, shortestPauseMs), longestPauseMs), signal);
    const way = await tryRelay({ pod, api, agent: agent.name }, signal);
    if (way !== null) return way;
    const status = await statusIn(pod, agent, api);
    if (status.kind === 'running') return null;
    if (status.kind === 'ended') throw endedAtOnce(agent, status, pod);
    if (status.reason !== '') {
      said = status.words;
      if (!isPatient && hopeless.has(status.reason)) throw notStarted(agent, pod, said);
    }
  }
  throw notStarted(agent, pod, `not within ${timeoutMs / 1000} s: ${said}`);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((cause: unknown) => {
    const message = 'Cancelled before anything was touched; the agent stays, and ends by itself.';
    throw new HotexecError({ code: 'cancelled', message, hint: null }, { cause });
  });
}

type AgentStatus =
  | { readonly kind: 'running' }
  | ({ readonly kind: 'ended' } & Ended)
  /** `reason` empty: the kubelet has not said any. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly words: string };

async function statusIn(pod: Pod, agent: Named, api: ClusterApi): Promise<AgentStatus> {
  const { name, uid } = pod.metadata;
  const now = await readPod(pod, api);
  if (now.metadata.uid !== uid || now.metadata.deletionTimestamp !== null)
    throw refusal('stopped-by-other', `pod/${name} was deleted meanwhile.`, null);
  const { running = null, waiting = null, terminated = null } = statusOf(agent.name, now)?.state ?? {};
  if (running !== null) return { kind: 'running' };
  if (terminated !== null) return { kind: 'ended', ...terminated };
  const { reason, message } = waiting ?? { reason: '', message: '' };
  return { kind: 'waiting', reason, words: [reason, message].filter((word) => word !== '').join(': ') };
}

async function readPod({ metadata }: Pod, api: ClusterApi): Promise<Pod> {
  const { namespace, name } = metadata;
  try {
    return await api.get(apiPath(['api', 'v1', 'namespaces', namespace, 'pods', name]), podSchema);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw refusalOf(error, { target: `pod/${name}`, namespace, what: 'get pods' });
  }
}

function notStarted({ name }: Named, pod: Pod, why: string): HotexecError {
  return refusal(
    'agent-not-started',
    `${podName(pod)}: the agent (ephemeral container ${name}) does not start: ${why}.`,
    /image/i.test(why)
      ? '--agent-image IMAGE names one that the node can get'
      : `kubectl describe ${podName(pod)} says more; --timeout waits longer`,
  );
}

interface Ended {
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

function endedAtOnce(agent: Named, { exitCode, reason, message }: Ended, { metadata }: Pod): HotexecError {
  const { namespace, name: pod } = metadata;
  const words = message.trim() === '' ? reason : message.trim();
  return refusal(
    'agent-not-started',
    `pod/${pod}: the agent (ephemeral container ${agent.name}) ended at once, with exit code ${exitCode}: ${words}.`,
    /exec format error/i.test(words)
      ? "Its image is for another architecture than the node's: --agent-image IMAGE names one for this."
      : `kubectl logs -n ${namespace} ${pod} -c ${agent.name}`,
  );
}
