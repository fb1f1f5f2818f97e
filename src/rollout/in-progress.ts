// Whether a workload's controller is just replacing its pods: they would be gone, or the rollout would bring back what a restart has
// changed. Pure; the same questions as `kubectl rollout status` (kubectl/pkg/polymorphichelpers/rollout_status.go), without that of
// readiness: pods that are not ready may well be why somebody restarts them.
import type { ErrorData } from '../errors.ts';

type Maybe<T> = T | null | undefined;

export interface WorkloadStatus {
  readonly kind: 'deployment' | 'statefulset' | 'daemonset';
  readonly name: string;
  readonly generation?: Maybe<number>;
  /** Of the spec; of a DaemonSet none. */
  readonly replicas?: Maybe<number>;
  /** `RollingUpdate`, `Recreate`, `OnDelete`. */
  readonly strategy?: Maybe<string>;
  /** Of a StatefulSet: pods below it are left as they are. */
  readonly partition?: Maybe<number>;
  readonly status?: Maybe<{
    readonly observedGeneration?: Maybe<number>;
    readonly replicas?: Maybe<number>;
    readonly updatedReplicas?: Maybe<number>;
    readonly currentRevision?: Maybe<string>;
    readonly updateRevision?: Maybe<string>;
    readonly desiredNumberScheduled?: Maybe<number>;
    readonly updatedNumberScheduled?: Maybe<number>;
  }>;
}

/** Null: no rollout is in progress. */
export function refuseInProgress(workload: WorkloadStatus): ErrorData | null {
  const why = whyInProgress(workload);
  if (why === null) return null;
  const name = `${workload.kind}/${workload.name}`;
  return {
    code: 'rollout-in-progress',
    message: `${name}: a rollout is in progress: ${why}. Nothing was touched.`,
    hint: `Wait for it: kubectl rollout status ${name}`,
  };
}

export function whyInProgress(workload: WorkloadStatus): string | null {
  const { generation, status } = workload;
  if ((status?.observedGeneration ?? 0) < (generation ?? 0))
    return 'its controller has not yet seen the last change of it';
  switch (workload.kind) {
    case 'deployment':
      return whyDeployment(workload);
    case 'statefulset':
      return whyStatefulSet(workload);
    case 'daemonset':
      return whyDaemonSet(workload);
  }
}

function whyDeployment({ replicas, status }: WorkloadStatus): string | null {
  const wanted = replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  if (updated < wanted) return `${updated} of ${wanted} pods are of the new version`;
  const old = (status?.replicas ?? 0) - updated;
  return old > 0 ? `${old} ${old === 1 ? 'pod' : 'pods'} of the old version are still there` : null;
}

/** With OnDelete pods of two revisions are a lasting state, and nobody replaces them. */
function whyStatefulSet({ replicas, partition, strategy, status }: WorkloadStatus): string | null {
  if (strategy === 'OnDelete') return null;
  const wanted = Math.max(0, (replicas ?? 1) - (partition ?? 0));
  const updated = status?.updatedReplicas ?? 0;
  const isWhole = (partition ?? 0) === 0;
  if (status?.updateRevision === status?.currentRevision) return null;
  return updated < wanted || isWhole
    ? `${updated} of ${wanted} pods are of revision ${status?.updateRevision ?? '?'}`
    : null;
}

function whyDaemonSet({ strategy, status }: WorkloadStatus): string | null {
  if (strategy === 'OnDelete') return null;
  const wanted = status?.desiredNumberScheduled ?? 0;
  const updated = status?.updatedNumberScheduled ?? 0;
  return updated < wanted ? `${updated} of ${wanted} pods are of the new version` : null;
}
