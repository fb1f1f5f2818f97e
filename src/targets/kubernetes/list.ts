// What can be restarted in a namespace, or in all: the running containers of pods that an agent can be put into, as the API tells them.
import * as v from 'valibot';
import type { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { agentBeside, type AgentBeside } from './agent-container.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { changeOf, type Change } from './change.ts';
import { isReachable } from './find-pod.ts';
import { mainContainers, podSchema, statusOf, type Container, type Pod } from './pod.ts';
import { forbidderOf } from './refusal.ts';
import { refusedList } from './workload.ts';

/** As `-o json` prints it. */
export interface ListedContainer {
  readonly kind: 'Target';
  /** As a command takes it, with `-n` and `-c`. */
  readonly target: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly image: string;
  readonly node: string | null;
  /** `containerd://0123…` */
  readonly id: string;
  /** How often the kubelet has started it again; a restart in place does not count. */
  readonly restarts: number;
  /** When the kubelet has started it last. */
  readonly startedAt: string | null;
  readonly ready: boolean;
  /** Null: none is there. */
  readonly agent: AgentBeside | null;
  /** Null: the program is the one that the kubelet has started, as far as the pod tells. */
  readonly change: Change | null;
}

export interface ListAsked {
  /** Null: all. */
  readonly selector: string | null;
  readonly allNamespaces: boolean;
}

export interface FoundContainer {
  readonly pod: Pod;
  readonly container: Container;
  readonly listed: ListedContainer;
}

/** In the order of the API: by namespace and name. Throws HotexecError. */
export async function listContainers(
  asked: ListAsked,
  api: ClusterApi,
  { pageSize = kubectlPageSize }: { readonly pageSize?: number } = {},
): Promise<readonly FoundContainer[]> {
  return (await allPods({ ...asked, pageSize }, api)).flatMap(containersOf);
}

const kubectlPageSize = 500;

const page = v.object({
  metadata: v.nullish(v.object({ continue: v.nullish(v.string(), '') }), { continue: '' }),
  items: v.array(podSchema),
});

async function allPods(
  { selector, allNamespaces, pageSize }: ListAsked & { readonly pageSize: number },
  api: ClusterApi,
): Promise<readonly Pod[]> {
  const { namespace } = api.cluster;
  const words = ['api', 'v1', ...(allNamespaces ? [] : ['namespaces', namespace]), 'pods'];
  const pods: Pod[] = [];
  let next = '';
  do {
    const query = {
      limit: String(pageSize),
      ...(selector === null ? {} : { labelSelector: selector }),
      ...(next === '' ? {} : { continue: next }),
    };
    try {
      const { metadata, items } = await api.get(apiPath(words, query), page);
      pods.push(...items);
      next = metadata.continue;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw refused(error, { selector, allNamespaces }, api);
    }
  } while (next !== '');
  return pods;
}

function refused(error: ApiError, { selector, allNamespaces }: ListAsked, api: ClusterApi): HotexecError {
  if (allNamespaces && forbidderOf(error)?.kind === 'rbac')
    return refusal(
      'not-permitted',
      `The cluster's RBAC does not let you list the pods of all namespaces. It says: ${error.message}.`,
      'One namespace: -n NAME. All: a ClusterRole with list of pods.',
    );
  return refusedList(error, api, selector === null ? 'pods' : `pods -l ${selector}`);
}

/** Pure: those of one pod. */
export function containersOf(pod: Pod): readonly FoundContainer[] {
  if (!isReachable(pod)) return [];
  return mainContainers(pod).flatMap((container) => {
    const listed = describe(pod, container);
    return listed === null ? [] : { pod, container, listed };
  });
}

/** Null: it does not run. */
function describe(pod: Pod, container: Container): ListedContainer | null {
  const { namespace, name } = pod.metadata;
  const status = statusOf(container.name, pod);
  const running = status?.state.running ?? null;
  if (status === undefined || running === null || status.containerID === null) return null;
  return {
    kind: 'Target',
    target: `pod/${name}`,
    namespace,
    pod: name,
    container: container.name,
    image: container.image,
    node: pod.spec.nodeName,
    id: status.containerID,
    restarts: status.restartCount,
    startedAt: running.startedAt,
    ready: status.ready,
    agent: agentBeside(pod, container),
    change: changeOf(pod, container),
  };
}
