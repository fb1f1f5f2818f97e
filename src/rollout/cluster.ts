// The pods of a workload in a cluster as a rollout wants them: which there are, in which order, and how one is reached.
import { HotexecError } from '../errors.ts';
import type { FrontContext } from '../connect/open-front.ts';
import { openCluster } from '../connect/open-pod.ts';
import { openPodFront } from '../connect/pod-front.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { ClusterApi } from '../targets/kubernetes/api.ts';
import { chooseContainer } from '../targets/kubernetes/container.ts';
import { findPod } from '../targets/kubernetes/find-pod.ts';
import { mainContainers, podName, statusOf, type Pod } from '../targets/kubernetes/pod.ts';
import { assessRestart } from '../targets/kubernetes/probes/assess.ts';
import { listPods, podsOf, workloadName, type PodsOfTarget } from '../targets/kubernetes/workload.ts';
import { formatTarget, type ClusterTarget } from '../targets/target.ts';
import { rolloutOrder } from './order.ts';
import type { RolloutPod } from './pod.ts';
import type { Means, OpenPod } from './roll-out.ts';

/** A workload, or the pods that were selected. */
export interface ClusterRollout extends Pick<Means, 'openPod' | 'listPods'> {
  /** `deployment/web` */
  readonly target: string;
  /** In the order in which they are restarted. */
  readonly pods: readonly RolloutPod[];
  readonly minReadyMs: number;
}

export interface ClusterRollouts extends Disposable {
  readonly rollouts: readonly ClusterRollout[];
}

export type RolloutContext = FrontContext & { readonly restart: RestartOptions };

/** Finds them. Throws HotexecError: also where a rollout of the workload's own is under way. */
export async function openRollouts(target: ClusterTarget, context: RolloutContext): Promise<ClusterRollouts> {
  const api = await openCluster(context);
  try {
    const groups = await podsOf(target, api);
    const rollouts = groups.map((group) => rolloutOf(group, { target, api, context }));
    return { rollouts, [Symbol.dispose]: () => api[Symbol.dispose]() };
  } catch (error) {
    api[Symbol.dispose]();
    throw error;
  }
}

/** The pods that would be restarted, in that order. Throws HotexecError. */
export async function orderOf(target: ClusterTarget, context: FrontContext): Promise<readonly RolloutPod[]> {
  using api = await openCluster(context);
  const groups = await podsOf(target, api);
  return groups.flatMap(({ workload, pods }) => {
    const described = pods.map((pod) => describePod(pod, chooseContainer(pod, context.cluster.container).name));
    return rolloutOrder(workload?.type ?? 'pods', described);
  });
}

interface Place {
  readonly target: ClusterTarget;
  readonly api: ClusterApi;
  readonly context: RolloutContext;
}

function rolloutOf({ workload, pods }: PodsOfTarget, place: Place): ClusterRollout {
  const { target, api, context } = place;
  const name = workload === null ? formatTarget(target) : workloadName(workload);
  const { container } = context.cluster;
  const described = pods.map((pod) => describePod(pod, chooseContainer(pod, container).name));
  const owners = new Set(pods.flatMap(({ metadata }) => metadata.ownerReferences.map(({ uid }) => uid)));
  const selector = workload?.spec.selector ?? (target.kind === 'selected' ? target.selector : null);
  return {
    target: name,
    pods: rolloutOrder(workload?.type ?? 'pods', described),
    minReadyMs: (workload?.spec.minReadySeconds ?? 0) * 1000,
    listPods: async () => {
      const now = selector === null ? await again(pods, api) : await listPods(selector, api, name);
      const these = workload === null ? now : now.filter((pod) => isOwnedBy(pod, owners));
      return these.map((pod) => describePod(pod, container ?? mainContainers(pod)[0]?.name ?? ''));
    },
    openPod: async (pod, { doing }) => openOne(pod, place, doing),
  };
}

/** Whatever has become of the workload meanwhile: that a pod was deleted is no reason to stop. */
function isOwnedBy({ metadata }: Pod, owners: ReadonlySet<string>): boolean {
  return metadata.ownerReferences.some(({ uid }) => owners.has(uid));
}

/** Each of them by its name, as far as it is still there. */
async function again(pods: readonly Pod[], api: ClusterApi): Promise<readonly Pod[]> {
  const found = await Promise.allSettled(pods.map(async ({ metadata }) => findPod(metadata.name, api)));
  return found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function describePod(pod: Pod, container: string): RolloutPod {
  const { metadata, status } = pod;
  const isRunning = statusOf(container, pod)?.state.running !== null && status.phase === 'Running';
  return {
    name: metadata.name,
    uid: metadata.uid,
    state: metadata.deletionTimestamp !== null ? 'deleting' : isRunning ? 'running' : 'stopped',
    ready: status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    createdMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
    deletionCost: Number(metadata.annotations[deletionCost] ?? 0) || 0,
    restarts: statusOf(container, pod)?.restartCount ?? 0,
  };
}

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

/** Looked at once more: an agent may have come, or the pod be another one. */
async function openOne(
  { name, uid }: RolloutPod,
  { api, context }: Place,
  doing: (what: string) => void,
): Promise<OpenPod> {
  const pod = await findPod(name, api);
  if (pod.metadata.uid !== uid)
    throw new HotexecError({
      code: 'target-changed',
      message: `${podName(pod)} was deleted, and there is a new one of that name. Nothing was touched.`,
      hint: null,
    });
  const subject = { name: podName(pod), pod, container: chooseContainer(pod, context.cluster.container) };
  const { staleForMs, readyWithinMs } = assessRestart(subject, context.restart);
  const front = await openPodFront(pod, { api, context: { ...context, onProgress: doing }, closing: null });
  return { front, staleForMs, readyWithinMs, [Symbol.dispose]: () => front[Symbol.dispose]() };
}
