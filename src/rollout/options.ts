// What a caller of the library may ask for where the target is a workload: how many pods at once, and when it is over.
import { HotexecError } from '../errors.ts';
import type { Policy } from './decide.ts';
import type { RolloutEvent } from './event.ts';
import { atOnce, parseMaxUnavailable } from './max-unavailable.ts';

export interface RolloutOptions {
  /** Of each pod as it comes further, and of what happens in it. */
  readonly onEvent?: ((event: RolloutEvent) => void) | undefined;
  /** How many pods are restarted at the same time: `2`, `'25%'` (rounded down, at least one); one without it. */
  readonly maxUnavailable?: number | `${number}%`;
  /** Between one pod and the next, in ms; 0 without it, 24 hours at most. */
  readonly pauseMs?: number;
  /** True: goes on where one pod fails, instead of leaving those that follow untouched. */
  readonly continueOnError?: boolean;
}

export const longestPauseMs: number = 24 * 3_600_000;

/** Throws usage. */
export function policyOf(options: Omit<RolloutOptions, 'onEvent'>): (pods: number) => Policy {
  const { maxUnavailable = 1, pauseMs = 0, continueOnError = false } = options;
  const width = parseMaxUnavailable(String(maxUnavailable));
  if (width === undefined)
    throw usage(`maxUnavailable: ${JSON.stringify(maxUnavailable)} is neither a number nor a percentage above 0.`);
  if (!(pauseMs >= 0 && pauseMs <= longestPauseMs))
    throw usage(`pauseMs: ${pauseMs} is not a time from 0 to ${longestPauseMs}.`);
  return (pods) => ({ atOnce: atOnce(width, pods), pauseMs, continueOnError });
}

function usage(message: string): HotexecError {
  return new HotexecError({ code: 'usage', message, hint: null });
}
