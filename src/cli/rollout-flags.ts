// --max-unavailable N|%, --pause DURATION and --continue-on-error: how many pods at once, and when it is over.
import { Option } from '@commander-js/extra-typings';
import type { Policy } from '../rollout/decide.ts';
import { atOnce, parseMaxUnavailable } from '../rollout/max-unavailable.ts';
import { longestPauseMs } from '../rollout/options.ts';
import { parseDurationMs } from './duration.ts';
import { usageError } from './usage.ts';

export const maxUnavailableOption: Option<'--max-unavailable <N>'> = new Option(
  '--max-unavailable <N>',
  'of several pods: how many are restarted at the same time, a number or a percentage; else one',
);

export const pauseOption: Option<'--pause <DURATION>'> = new Option(
  '--pause <DURATION>',
  'of several pods: how long to wait after one before the next',
);

export const continueOnErrorOption: Option<'--continue-on-error'> = new Option(
  '--continue-on-error',
  'of several pods: go on where one fails, instead of leaving those that follow untouched',
);

/** As commander gives them. */
export interface RolloutFlags {
  readonly maxUnavailable?: string | undefined;
  readonly pause?: string | undefined;
  readonly continueOnError?: true | undefined;
}

/** Checked before anything is asked of a cluster: how it is done for a number of pods. */
export function rolloutPolicy(flags: RolloutFlags): (pods: number) => Policy {
  const { maxUnavailable: text = '1', continueOnError } = flags;
  const width = parseMaxUnavailable(text);
  if (width === undefined)
    throw usageError(
      `--max-unavailable ${JSON.stringify(text)} is neither a number nor a percentage above 0.`,
      'For example: 2, 25%',
    );
  const pauseMs = flags.pause === undefined ? 0 : parsePause(flags.pause);
  return (pods) => ({ atOnce: atOnce(width, pods), pauseMs, continueOnError: continueOnError === true });
}

function parsePause(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw usageError(`--pause ${JSON.stringify(text)} is not a duration.`, 'For example: 10s, 1m30s, 500ms');
  if (ms > longestPauseMs) throw usageError(`--pause ${text} is out of range: 0 to 24h.`);
  return ms;
}
