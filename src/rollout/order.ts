// In which order the pods of a workload are restarted: as its controller would replace them. Pure.
import type { RolloutPod } from './pod.ts';

type Ordered = Pick<RolloutPod, 'name' | 'ready' | 'createdMs' | 'deletionCost'>;

/**
 * A StatefulSet: the highest ordinal first (pkg/controller/statefulset). Others: those that are not ready, then those that cost least to
 * delete, then the youngest (ActivePodsWithRanks of pkg/controller/controller_utils.go, as far as it does not look at nodes).
 */
export function rolloutOrder<Pod extends Ordered>(kind: WorkloadKind, pods: readonly Pod[]): readonly Pod[] {
  return pods.toSorted(kind === 'statefulset' ? byOrdinal : byLoss);
}

export type WorkloadKind = 'deployment' | 'statefulset' | 'daemonset' | 'pods';

function byOrdinal(a: Ordered, b: Ordered): number {
  return ordinalOf(b) - ordinalOf(a) || compare(a.name, b.name);
}

/** web-12 → 12 */
function ordinalOf({ name }: Ordered): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? -1);
}

function byLoss(a: Ordered, b: Ordered): number {
  return (
    Number(a.ready) - Number(b.ready) ||
    a.deletionCost - b.deletionCost ||
    b.createdMs - a.createdMs ||
    compare(a.name, b.name)
  );
}

/** Not by a language's rules: the same everywhere. */
function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
