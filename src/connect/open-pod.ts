// A pod, or a workload that has one pod: found, its container chosen, an agent beside it.
import type { Front } from '../front/front.ts';
import { HotexecError } from '../errors.ts';
import { openApi, type ClusterApi } from '../targets/kubernetes/api.ts';
import { loadCluster } from '../targets/kubernetes/kubeconfig.ts';
import { podsOf, workloadName, type PodsOfTarget } from '../targets/kubernetes/workload.ts';
import { podName, type Pod } from '../targets/kubernetes/pod.ts';
import { formatTarget, type ClusterTarget } from '../targets/target.ts';
import type { FrontContext } from './open-front.ts';
import { openPodFront } from './pod-front.ts';

export interface ClusterContext extends Pick<FrontContext, 'env' | 'signal'> {
  readonly cluster: Pick<FrontContext['cluster'], 'cluster'>;
}

/** Who asks, and of which cluster. To be disposed of when nothing more is asked. Throws HotexecError. */
export async function openCluster({ cluster, env, signal }: ClusterContext): Promise<ClusterApi> {
  return openApi(await loadCluster(cluster.cluster, env), { signal });
}

export async function openPod(target: ClusterTarget, context: FrontContext): Promise<Front> {
  const api = await openCluster(context);
  try {
    const pod = onlyOne(target, await podsOf(target, api));
    return await openPodFront(pod, { api, context, closing: api });
  } catch (error) {
    api[Symbol.dispose]();
    throw error;
  }
}

function onlyOne(target: ClusterTarget, groups: readonly PodsOfTarget[]): Pod {
  const pods = groups.flatMap((group) => group.pods);
  const [pod, ...more] = pods;
  if (pod !== undefined && more.length === 0) return pod;
  const workloads = groups.flatMap(({ workload }) => (workload === null ? [] : workloadName(workload)));
  const named = workloads.length === 0 ? formatTarget(target) : workloads.join(', ');
  throw new HotexecError({
    code: 'target-ambiguous',
    message: `${named} ${groups.length > 1 ? 'have' : 'has'} ${pods.length} pods: ${pods.map(podName).join(', ')}. Nothing was touched.`,
    hint: 'Name one of them.',
  });
}
