// What a rollout does next. Pure: from what has become of each pod so far, and the time.

/** `settling`: its new program runs, and the pod is not yet available. `done`: it is. `skipped`: it is not there any more. */
export type Stage = 'waiting' | 'restarting' | 'settling' | 'done' | 'failed' | 'skipped';

export interface Policy {
  /** How many pods may be restarting or settling at the same time. */
  readonly atOnce: number;
  /** Between one pod's end and the next one's beginning, ms. */
  readonly pauseMs: number;
  readonly continueOnError: boolean;
}

export interface Situation {
  /** In the order in which they are restarted. */
  readonly stages: readonly Stage[];
  /** When a pod last left `restarting` or `settling` to be done or failed; null: none has. */
  readonly lastEndMs: number | null;
  readonly nowMs: number;
  /** Somebody wants it to stop. */
  readonly cancelled: boolean;
}

export type Decision =
  /** The first of those that wait. */
  | { readonly kind: 'start'; readonly index: number }
  /** Until a pod has come further, and no longer than this; null: until then. */
  | { readonly kind: 'wait'; readonly untilMs: number | null }
  /** Those that still wait are left as they are. */
  | { readonly kind: 'end' };

export function decide({ stages, lastEndMs, nowMs, cancelled }: Situation, policy: Policy): Decision {
  const busy = stages.filter((stage) => stage === 'restarting' || stage === 'settling').length;
  const stops = cancelled || (!policy.continueOnError && stages.includes('failed'));
  const index = stages.indexOf('waiting');
  if (index === -1 || stops) return busy > 0 ? { kind: 'wait', untilMs: null } : { kind: 'end' };
  if (busy >= policy.atOnce) return { kind: 'wait', untilMs: null };
  const pauseEndsMs = lastEndMs === null ? nowMs : lastEndMs + policy.pauseMs;
  return nowMs < pauseEndsMs ? { kind: 'wait', untilMs: pauseEndsMs } : { kind: 'start', index };
}
