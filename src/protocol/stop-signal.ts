// How a program is asked to finish, and for how long: what its runtime would do, unless the user says otherwise (OCI image spec, config.md
// StopSignal; docker run --stop-signal, --stop-timeout).
import { constants } from 'node:os';
import type { ProgramSpec, RestartOptions } from './request.ts';

const defaultGraceMs = 10_000;

/** Also of a container that is to be waited for without an end (`docker run --stop-timeout -1`). */
export const longestGraceMs: number = 24 * 3_600_000;

/** In ms: the user's, the container's own stop timeout, or 10 s. */
export function gracePeriodOf(
  spec: Pick<ProgramSpec, 'stopTimeoutSeconds'> | null,
  { gracePeriodMs }: Pick<RestartOptions, 'gracePeriodMs'>,
): number {
  if (gracePeriodMs !== null) return gracePeriodMs;
  const seconds = spec?.stopTimeoutSeconds ?? null;
  if (seconds === null) return defaultGraceMs;
  return seconds < 0 ? longestGraceMs : Math.min(seconds * 1000, longestGraceMs);
}

/** As runtimes write a stop signal: `SIGTERM`, `term`, `15`, `RTMIN+3`. undefined: no signal. */
export function signalNumber(text: string): number | undefined {
  // As runtimes mostly write it; asked for in a hold, where a regular expression would be compiled first.
  const known = numbers.get(text);
  if (known !== undefined) return known;
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) return inRange(Number(name), 1);
  const [, base, offset] = /^RT(MIN|MAX)(?:([+-]\d+))?$/.exec(name) ?? [];
  if (base !== undefined)
    return inRange((base === 'MIN' ? firstRealTime : lastSignal) + Number(offset ?? 0), firstRealTime);
  return numbers.get(`SIG${name}`);
}

const numbers: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

// The C library keeps 32 and 33 for itself.
const firstRealTime = 34;
const lastSignal = 64;

function inRange(signal: number, first: number): number | undefined {
  return signal >= first && signal <= lastSignal ? signal : undefined;
}
