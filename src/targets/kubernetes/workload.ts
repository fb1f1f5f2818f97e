// deployment/NAME and TYPE -l SELECTOR: the pods that are meant. A workload whose rollout is under way is refused: its pods are being replaced.
import * as v from 'valibot';
import { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { nearest } from '../nearest.ts';
import type { ClusterTarget, WorkloadType } from '../target.ts';
import { ApiError, apiPath, type ClusterApi } from './api.ts';
import { findPod } from './find-pod.ts';
import { objectNames } from './names.ts';
import { metadataSchema, podListSchema, type Metadata, type Pod } from './pod.ts';
import { refusalOf } from './refusal.ts';

export interface Workload {
  readonly type: WorkloadType;
  readonly metadata: Metadata;
  readonly spec: {
    readonly replicas: number;
    readonly minReadySeconds: number;
    /** `app=web,tier in (a)`, as a query has it. */
    readonly selector: string;
    /** `OnDelete`: pods are replaced when somebody deletes them. */
    readonly updateStrategy: string | null;
    /** Of a StatefulSet's update: ordinals below keep the old revision. */
    readonly partition: number;
  };
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas: number;
    readonly updatedReplicas: number;
    readonly desiredNumberScheduled: number;
    readonly updatedNumberScheduled: number;
  };
}

/** All pods that a target means, those of one workload together. */
export interface PodsOfTarget {
  /** Null: named or selected by themselves. */
  readonly workload: Workload | null;
  readonly pods: readonly Pod[];
}

/** Throws HotexecError; where there is no pod, too. */
export async function podsOf(target: ClusterTarget, api: ClusterApi): Promise<readonly PodsOfTarget[]> {
  switch (target.kind) {
    case 'pod':
      return [{ workload: null, pods: [await findPod(target.name, api)] }];
    case 'workload': {
      const workload = await findWorkload(target, api);
      return [await withPods(workload, api)];
    }
    case 'selected':
      return selected(target, api);
  }
}

type Selected = Extract<ClusterTarget, { readonly kind: 'selected' }>;

async function selected(target: Selected, api: ClusterApi): Promise<readonly PodsOfTarget[]> {
  const { type, selector } = target;
  if (type === 'pod') {
    const pods = (await listPods(selector, api, `pod -l ${selector}`)).filter(isAlive);
    if (pods.length === 0) throw nothingSelected(target, api);
    return [{ workload: null, pods }];
  }
  const workloads = await listWorkloads(type, api, { labelSelector: selector });
  if (workloads.length === 0) throw nothingSelected(target, api);
  const all: PodsOfTarget[] = [];
  for (const workload of workloads) all.push(await withPods(workload, api));
  return all;
}

/** Those that are over or are being deleted are nobody's target; one that is named says so. */
function isAlive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === null && status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

async function findWorkload(
  { type, name }: Extract<ClusterTarget, { readonly kind: 'workload' }>,
  api: ClusterApi,
): Promise<Workload> {
  const { namespace } = api.cluster;
  const target = `${type}/${name}`;
  try {
    const path = apiPath(['apis', 'apps', 'v1', 'namespaces', namespace, `${type}s`, name]);
    return { type, ...(await api.get(path, workloadSchema)) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 404) throw refusalOf(error, { target, namespace, what: `get ${type}s` });
    const near = nearest(name, await objectNames(type, api).catch(() => []));
    const hint =
      near === undefined ? `kubectl get ${type}s -n ${namespace} lists them.` : `Did you mean ${type}/${near}?`;
    throw refusal('target-not-found', `${target}: there is no such ${type} in namespace ${namespace}.`, hint);
  }
}

async function listWorkloads(
  type: WorkloadType,
  api: ClusterApi,
  query: Readonly<Record<string, string>>,
): Promise<readonly Workload[]> {
  const { namespace } = api.cluster;
  try {
    const path = apiPath(['apis', 'apps', 'v1', 'namespaces', namespace, `${type}s`], query);
    const { items } = await api.get(path, v.object({ items: v.array(workloadSchema) }));
    return items.map(({ metadata, spec, status }) => ({ type, metadata, spec, status }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw refusalOf(error, { target: `${type}s`, namespace, what: `list ${type}s` });
  }
}

async function withPods(workload: Workload, api: ClusterApi): Promise<PodsOfTarget> {
  const name = workloadName(workload);
  refuseDuringRollout(workload);
  const owner = workload.type === 'deployment' ? await currentReplicaSet(workload, api) : workload.metadata.uid;
  const pods = (await listPods(workload.spec.selector, api, name)).filter(
    (pod) => isAlive(pod) && pod.metadata.ownerReferences.some(({ uid }) => uid === owner),
  );
  if (pods.length > 0) return { workload, pods };
  throw refusal('target-not-found', `${name} has no pods now.`, `kubectl describe ${name} says more.`);
}

/** As it is printed. */
export function workloadName({ type, metadata }: Pick<Workload, 'type' | 'metadata'>): string {
  return `${type}/${metadata.name}`;
}

/** Throws HotexecError: pods that are about to be replaced are not worth a restart, and new ones come from the template. */
function refuseDuringRollout(workload: Workload): void {
  const why = rolloutUnderWay(workload);
  if (why === null) return;
  const name = workloadName(workload);
  throw refusal(
    'rollout-under-way',
    `${name}: a rollout is under way (${why}), and its pods are being replaced.`,
    `kubectl rollout status ${name} waits for its end.`,
  );
}

/** Null: none is. */
export function rolloutUnderWay({ type, metadata, spec, status }: Workload): string | null {
  if (status.observedGeneration < (metadata.generation ?? 0)) return 'its controller has not seen the last change yet';
  if (spec.updateStrategy === 'OnDelete') return null;
  const [updated, wanted] =
    type === 'daemonset'
      ? [status.updatedNumberScheduled, status.desiredNumberScheduled]
      : [status.updatedReplicas, Math.max(0, spec.replicas - spec.partition)];
  if (updated < wanted) return `${updated} of ${wanted} pods are new`;
  if (type === 'deployment' && status.replicas > updated) return `${status.replicas - updated} old pods are left`;
  return null;
}

const replicaSets = v.object({ items: v.array(v.object({ metadata: metadataSchema })) });

/** The uid of the ReplicaSet of the revision that the deployment is at. */
async function currentReplicaSet({ metadata, spec }: Workload, api: ClusterApi): Promise<string> {
  const { namespace } = api.cluster;
  const target = `deployment/${metadata.name}`;
  try {
    const path = ['apis', 'apps', 'v1', 'namespaces', namespace, 'replicasets'];
    const { items } = await api.get(apiPath(path, { labelSelector: spec.selector }), replicaSets);
    const current = items.find(
      (set) =>
        set.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid) &&
        set.metadata.annotations[revision] === metadata.annotations[revision],
    );
    if (current !== undefined) return current.metadata.uid;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw refusalOf(error, { target, namespace, what: 'list replicasets' });
  }
  throw refusal('target-not-found', `${target} has no ReplicaSet of its present revision.`, null);
}

const revision = 'deployment.kubernetes.io/revision';

/** All with these labels, those that are being deleted too. Throws HotexecError. */
export async function listPods(labelSelector: string, api: ClusterApi, target: string): Promise<readonly Pod[]> {
  const { namespace } = api.cluster;
  try {
    const path = apiPath(['api', 'v1', 'namespaces', namespace, 'pods'], { labelSelector });
    return (await api.get(path, podListSchema)).items;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw refusedList(error, api, target);
  }
}

/** What keeps somebody from a list of pods: a selector that is none, or who may not. */
export function refusedList(error: ApiError, { cluster }: ClusterApi, target: string): HotexecError {
  if (error.status !== 400) return refusalOf(error, { target, namespace: cluster.namespace, what: 'list pods' });
  return new HotexecError({
    code: 'usage',
    message: `${target}: ${error.message}.`,
    hint: 'Such as: -l app=web,tier!=cache',
  });
}

function nothingSelected({ type, selector }: Selected, { cluster }: ClusterApi): HotexecError {
  return refusal(
    'target-not-found',
    `${type} -l ${selector}: nothing in namespace ${cluster.namespace} has these labels.`,
    `kubectl get ${type}s -n ${cluster.namespace} --show-labels`,
  );
}

type Schema<Output> = v.GenericSchema<unknown, Output>;

const count: Schema<number> = v.nullish(v.number(), 0);

const selectorSchema: Schema<string> = v.pipe(
  v.object({
    matchLabels: v.nullish(v.record(v.string(), v.string()), {}),
    matchExpressions: v.nullish(
      v.array(v.object({ key: v.string(), operator: v.string(), values: v.nullish(v.array(v.string()), []) })),
      [],
    ),
  }),
  v.transform(({ matchLabels, matchExpressions }) =>
    [
      ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
      ...matchExpressions.map(({ key, operator, values }) => expression(key, operator, values)),
    ].join(','),
  ),
);

function expression(key: string, operator: string, values: readonly string[]): string {
  switch (operator) {
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  }
}

const workloadSchema: Schema<Omit<Workload, 'type'>> = v.object({
  metadata: metadataSchema,
  spec: v.pipe(
    v.object({
      replicas: v.nullish(v.number(), 1),
      minReadySeconds: count,
      selector: selectorSchema,
      updateStrategy: v.nullish(
        v.object({
          type: v.nullish(v.string(), null),
          rollingUpdate: v.nullish(v.object({ partition: count }), null),
        }),
        null,
      ),
    }),
    v.transform(({ updateStrategy, ...spec }) => ({
      ...spec,
      updateStrategy: updateStrategy?.type ?? null,
      partition: updateStrategy?.rollingUpdate?.partition ?? 0,
    })),
  ),
  status: v.nullish(
    v.object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
    }),
    { observedGeneration: 0, replicas: 0, updatedReplicas: 0, desiredNumberScheduled: 0, updatedNumberScheduled: 0 },
  ),
});
