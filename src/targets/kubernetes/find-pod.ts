// pod/NAME: looked up, and refused where nothing runs in it that could be restarted.
import { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { nearest } from '../nearest.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { objectNames } from './names.ts';
import { podName, podSchema, statusOf, type Container, type Pod } from './pod.ts';
import { refusalOf } from './refusal.ts';
import { unsuitable } from './unsuitable.ts';

/** Throws HotexecError. */
export async function findPod(name: string, api: ClusterApi): Promise<Pod> {
  const { namespace } = api.cluster;
  try {
    return await api.get(apiPath(['api', 'v1', 'namespaces', namespace, 'pods', name]), podSchema);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) throw await notFound(name, api);
    throw refusalOf(error, { target: `pod/${name}`, namespace, what: 'get pods' });
  }
}

async function notFound(name: string, api: ClusterApi): Promise<HotexecError> {
  const { namespace } = api.cluster;
  // For a suggestion only: any failure here gives none.
  const near = nearest(name, await objectNames('pod', api).catch(() => []));
  const hint = near === undefined ? `kubectl get pods -n ${namespace} lists them.` : `Did you mean pod/${near}?`;
  return refusal('target-not-found', `pod/${name}: there is no such pod in namespace ${namespace}.`, hint);
}

/** Whether the agent can be put into this pod, as far as the pod tells. Throws HotexecError. */
export function refuseUnreachable(pod: Pod): void {
  const name = podName(pod);
  const { metadata, spec, status } = pod;
  if (metadata.deletionTimestamp !== null)
    throw refusal('stopped-by-other', `${name} is being deleted.`, 'kubectl get pods shows what takes its place.');
  if (metadata.annotations[mirror] !== undefined)
    throw refusal(
      'not-permitted',
      `${name} is a static pod: the kubelet of ${spec.nodeName ?? 'its node'} runs it from a file, and the API can add nothing to it.`,
      'On the node, as root: hotexec restart PID',
    );
  const wrong = unsuitable(pod, { node: null, handler: null }, { force: true });
  if (wrong !== null) throw new HotexecError(wrong);
  if (status.phase === 'Running') return;
  const why = status.message ?? status.reason;
  throw refusal(
    'target-not-found',
    `${name} does not run: it is ${status.phase}${why === null ? '' : ` (${why})`}.`,
    `kubectl describe ${name} says more.`,
  );
}

/** The same as an answer. */
export function isReachable(pod: Pod): boolean {
  try {
    refuseUnreachable(pod);
    return true;
  } catch (error) {
    if (error instanceof HotexecError) return false;
    throw error;
  }
}

const mirror = 'kubernetes.io/config.mirror';

export interface RunningContainer {
  /** Bare, without its runtime. */
  readonly id: string;
  readonly runtime: string;
  readonly startedAt: string | null;
}

/** Throws HotexecError where it does not run. */
export function runningContainer(pod: Pod, { name }: Pick<Container, 'name'>): RunningContainer {
  const status = statusOf(name, pod);
  const { running = null, waiting = null, terminated = null } = status?.state ?? {};
  const [, runtime, id] = /^([^:]+):\/\/(.+)$/.exec(status?.containerID ?? '') ?? [];
  if (running !== null && id !== undefined && runtime !== undefined)
    return { id, runtime, startedAt: running.startedAt };
  const logs = `kubectl logs ${pod.metadata.name} -c ${name}`;
  if (terminated !== null)
    throw refusal(
      'target-not-found',
      `${podName(pod)}: container ${name} has ended with exit code ${terminated.exitCode}.`,
      `${logs} shows why.`,
    );
  const reason = waiting === null || waiting.reason === '' ? 'it has not been started' : waiting.reason;
  const message = waiting === null || waiting.message === '' ? '' : `: ${waiting.message}`;
  throw refusal(
    'target-not-found',
    `${podName(pod)}: container ${name} does not run (${reason}${message}).`,
    reason === 'CrashLoopBackOff' ? `${logs} --previous shows why.` : null,
  );
}
