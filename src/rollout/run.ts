// The rollouts of one target, one after another: of a workload, or of each that was selected.
import { setTimeout } from 'node:timers/promises';
import { newOperationId } from '../front/operation-id.ts';
import type { RestartList } from '../protocol/list.ts';
import type { ProgramChange, RestartOptions } from '../protocol/request.ts';
import { formatTarget, type ClusterTarget } from '../targets/target.ts';
import type { ClusterRollout, ClusterRollouts } from './cluster.ts';
import type { Policy } from './decide.ts';
import type { RolloutEvent } from './event.ts';
import { targetName } from './pod.ts';
import { combine, isGood, untouchedList } from './result.ts';
import { rollOut, type Clock } from './roll-out.ts';

export interface WorkloadRestart {
  readonly target: ClusterTarget;
  readonly program: ProgramChange;
  readonly options: RestartOptions;
  /** For a number of pods. */
  readonly policyFor: (pods: number) => Policy;
}

export interface Following {
  readonly signal: AbortSignal;
  readonly onEvent: (event: RolloutEvent) => void;
}

/** Resolves whatever comes of the pods: the list tells. */
export async function runRollouts(
  { rollouts }: ClusterRollouts,
  wanted: WorkloadRestart,
  following: Following,
): Promise<RestartList> {
  const lists: RestartList[] = [];
  for (const rollout of rollouts) lists.push(await afterThose(lists, rollout));
  return combine(formatTarget(wanted.target), lists);

  async function afterThose(before: readonly RestartList[], rollout: ClusterRollout): Promise<RestartList> {
    const { openPod, listPods, pods } = rollout;
    const policy = wanted.policyFor(pods.length);
    const isOver = following.signal.aborted || (!policy.continueOnError && before.some(hasFailed));
    if (isOver) return untouchedList(rollout.target, pods.map(targetName));
    return rollOut({ ...wanted, ...rollout, policy }, { openPod, listPods, newOperationId, clock, ...following });
  }
}

function hasFailed({ items }: RestartList): boolean {
  return !items.every(isGood);
}

const clock: Clock = {
  nowMs: () => performance.now(),
  // An abort ends the wait, and is nothing to complain about.
  wait: async (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined),
};
