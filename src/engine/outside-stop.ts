// A stop signal from somebody else that came during the hold: the old program is to get it, and no new one is to be started.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { HotexecError } from '../errors.ts';
import { pendingSignals, type ProcessStatus } from '../procfs/status.ts';
import { signalNumber } from '../protocol/stop-signal.ts';
import { signalBit, signalName } from '../tracer/signals.ts';
import type { Observed } from './observe.ts';

/** Throws stopped-by-other. A signal that was pending before (blocked by the program) is none of our business. */
export function yieldToStop(observed: Observed): void {
  const now = pendingSignals(readFileSync(`/proc/${observed.target.pid}/status`, 'utf8'));
  const came = now & ~pending(observed.status);
  const signal = stopSignals(observed).find((number) => (came & signalBit(number)) !== 0n);
  if (signal === undefined) return;
  throw new HotexecError({
    code: 'stopped-by-other',
    message: `${observed.target.name}: somebody sent ${signalName(signal)} meanwhile (docker stop?). The restart was given up and the old program gets the signal.`,
    hint: null,
  });
}

/** SIGTERM, and what the runtime sends instead if the image says so. */
export function stopSignals(observed: Observed): readonly number[] {
  const named = signalNumber(observed.target.spec?.stopSignal ?? 'SIGTERM');
  return named === undefined ? [constants.signals.SIGTERM] : [...new Set([constants.signals.SIGTERM, named])];
}

function pending(status: ProcessStatus): bigint {
  return (status.sigPnd ?? 0n) | (status.shdPnd ?? 0n);
}
