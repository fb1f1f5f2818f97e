// --probation DURATION, --probe URL and --no-rollback: how the new program is watched.
import { Option } from '@commander-js/extra-typings';
import { parseProbe } from '../front/probe.ts';
import type { RestartOptions } from '../protocol/request.ts';
import { parseDurationMs } from './duration.ts';
import { usageError } from './usage.ts';

export const probationOption: Option<'--probation <DURATION>'> = new Option(
  '--probation <DURATION>',
  'watch the new program this long, and start the previous one again if it ends; 0: do not; without it until it listens as before, 10s at most',
);

export const probeOption: Option<'--probe <URL>'> = new Option(
  '--probe <URL>',
  'http://HOST[:PORT]/PATH or tcp:HOST:PORT that the new program must answer in its probation',
);

export const noRollbackOption: Option<'--no-rollback'> = new Option(
  '--no-rollback',
  'let a new program that fails end, and the container with it',
);

/** As commander gives them. */
export interface ProbationFlags {
  readonly probation?: string | undefined;
  readonly probe?: string | undefined;
  readonly rollback: boolean;
}

/** The probe's host may still be a name. */
export function probationOptions(flags: ProbationFlags): Pick<RestartOptions, 'probationMs' | 'probe' | 'rollback'> {
  const probationMs = flags.probation === undefined ? null : parseProbation(flags.probation);
  const probe = flags.probe === undefined ? null : parseProbe(flags.probe);
  if (probe !== null && probationMs === 0) {
    throw usageError('--probe is made while the new program is watched, and --probation 0 watches nothing.');
  }
  return { probationMs, probe, rollback: flags.rollback };
}

// The target is traced as long.
const maxProbationMs = 3_600_000;

function parseProbation(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw usageError(`--probation ${JSON.stringify(text)} is not a duration.`, 'For example: 5s, 1m30s; 0 for none');
  if (ms > maxProbationMs) throw usageError(`--probation ${text} is out of range: 0 to 1h.`);
  return ms;
}
