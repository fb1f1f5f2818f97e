// What a rollout tells while it works.
import type { HotexecEvent } from '../protocol/event.ts';
import type { RestartResult } from '../protocol/result.ts';
import type { FailedPod } from '../protocol/list.ts';

export type RolloutEvent =
  /** It begins: these pods, in this order. */
  | { readonly kind: 'rollout'; readonly target: string; readonly pods: readonly string[]; readonly atOnce: number }
  /** A pod has come further. `why`: of `failed`, `skipped` and `untouched`; else null. */
  | {
      readonly kind: 'pod';
      readonly target: string;
      readonly state: PodState;
      readonly why: string | null;
      /** What came of it, when its turn is over; null: nothing was begun in it, or it is not over. */
      readonly result: RestartResult | FailedPod | null;
    }
  /** What a pod that is being reached is waited for, as a clause. */
  | { readonly kind: 'doing'; readonly target: string; readonly what: string }
  /** Something happened in a pod. */
  | { readonly kind: 'in-pod'; readonly target: string; readonly event: HotexecEvent };

export type PodState =
  | 'restarting'
  /** Its new program runs; it is not yet available for long enough. */
  | 'settling'
  | 'restarted'
  | 'failed'
  | 'skipped'
  | 'untouched';
