// --no-drain, --grace-period DURATION, --signal NAME and --no-handover: how the old program finishes, and what becomes of its listeners.
import { Option } from '@commander-js/extra-typings';
import type { RestartOptions } from '../protocol/request.ts';
import { longestGraceMs, signalNumber } from '../protocol/stop-signal.ts';
import { parseDurationMs } from './duration.ts';
import { usageError } from './usage.ts';

export const noDrainOption: Option<'--no-drain'> = new Option(
  '--no-drain',
  'do not ask the old program to finish first: it is replaced at once',
);

export const gracePeriodOption: Option<'--grace-period <DURATION>'> = new Option(
  '--grace-period <DURATION>',
  "how long the old program may take to finish before it is replaced by force; without it the container's own stop timeout, else 10s",
);

export const signalOption: Option<'--signal <NAME>'> = new Option(
  '--signal <NAME>',
  "what asks it to finish, a name or number (QUIT, SIGUSR1, 15, RTMIN+3); without it the container's own stop signal, else SIGTERM",
);

export const noHandoverOption: Option<'--no-handover'> = new Option(
  '--no-handover',
  'close the listening sockets with the old program, instead of giving them to the new one',
);

/** As commander gives them. */
export interface DrainFlags {
  readonly drain: boolean;
  readonly gracePeriod?: string | undefined;
  readonly signal?: string | undefined;
  readonly handover: boolean;
}

export function drainOptions(
  flags: DrainFlags,
): Pick<RestartOptions, 'drain' | 'gracePeriodMs' | 'signal' | 'handover'> {
  const { drain, gracePeriod, signal = null, handover } = flags;
  if (signal !== null && signalNumber(signal) === undefined)
    throw usageError(`--signal ${JSON.stringify(signal)} is not a signal.`, 'For example: QUIT, SIGUSR1, 15, RTMIN+3');
  const gracePeriodMs = gracePeriod === undefined ? null : parseGracePeriod(gracePeriod);
  if (!drain && (signal !== null || gracePeriodMs !== null)) {
    throw usageError(
      '--signal and --grace-period say how the old program is asked to finish, and --no-drain does not ask it.',
    );
  }
  return { drain, gracePeriodMs, signal, handover };
}

function parseGracePeriod(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw usageError(`--grace-period ${JSON.stringify(text)} is not a duration.`, 'For example: 10s, 1m30s, 500ms');
  if (ms > longestGraceMs) throw usageError(`--grace-period ${text} is out of range: 0 to 24h.`);
  return ms;
}
