// The first pod of a workload stands for all of them where only one is looked at: a plan.
import type { FrontContext } from '../connect/open-front.ts';
import type { ClusterTarget } from '../targets/target.ts';
import { orderOf } from './cluster.ts';
import { targetName } from './pod.ts';

export interface FirstPod {
  readonly first: ClusterTarget;
  /** Those that come after it, as `pod/web-0`. */
  readonly after: readonly string[];
}

/** A pod is itself, alone. Throws HotexecError. */
export async function firstPod(target: ClusterTarget, context: FrontContext): Promise<FirstPod> {
  if (target.kind === 'pod') return { first: target, after: [] };
  const [pod, ...more] = await orderOf(target, context);
  return pod === undefined
    ? { first: target, after: [] }
    : { first: { kind: 'pod', name: pod.name }, after: more.map(targetName) };
}
