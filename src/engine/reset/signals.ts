// Ignored and pending signals pass through execve; the mask is set when the program is let go.
import { constants } from 'node:os';
import { signalsIn, type ProcessStatus } from '../../procfs/status.ts';
import { signalBit, signalName } from '../../tracer/signals.ts';
import { stopSignals } from '../outside-stop.ts';
import { attempt, report, type Reset } from './context.ts';

/** A stop signal that came meanwhile is the new program's to get; it would be lost with the others. */
const deliveredSignals: readonly number[] = [
  constants.signals.SIGTERM,
  constants.signals.SIGINT,
  constants.signals.SIGHUP,
  constants.signals.SIGQUIT,
];

const terminalSignals: ReadonlySet<number> = new Set([
  constants.signals.SIGINT,
  constants.signals.SIGHUP,
  constants.signals.SIGQUIT,
]);

/** nohup, and shells for a job in the background, start a process with these ignored; who started a bare one is not known. Pure. */
export function ignoredSignals(
  status: ProcessStatus,
  inContainer: boolean,
): { readonly toReset: readonly number[]; readonly kept: readonly number[] } {
  const ignored = signalsIn(status.sigIgn ?? 0n);
  const isKept = (signal: number): boolean => !inContainer && terminalSignals.has(signal);
  return { toReset: ignored.filter((signal) => !isKept(signal)), kept: ignored.filter(isKept) };
}

export function resetSignals(reset: Reset): void {
  const { status, held, room, inContainer } = reset;
  const pending = (status.sigPnd ?? 0n) | (status.shdPnd ?? 0n);
  // What the old program was asked with, and has not taken, is not meant for the new one.
  const spared = [...deliveredSignals, ...stopSignals(reset.observed)]
    .filter((signal) => signal !== reset.ourSignal)
    .reduce((mask, signal) => mask | signalBit(signal), 0n);
  for (const signal of signalsIn(pending & ~spared)) {
    // Ignoring a signal discards it where it waits (kernel/signal.c do_sigaction).
    setAction(reset, signal, 1n);
    setAction(reset, signal, 0n);
  }
  const { toReset, kept } = ignoredSignals(status, inContainer);
  for (const signal of toReset) setAction(reset, signal, 0n);
  for (const name of kept.map(signalName)) {
    report(
      reset,
      `signal-${name}`,
      `${name} stays ignored: outside of a container it may have been so from the start (nohup, a shell's &)`,
    );
  }
  held.thread.write(room, Buffer.alloc(8));
}

/** struct sigaction with the handler alone: SIG_DFL 0, SIG_IGN 1. */
function setAction(reset: Reset, signal: number, handler: bigint): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(handler);
  reset.held.thread.write(reset.room, bytes);
  if (!attempt(reset, 'rt_sigaction', signal, reset.room, 0, 8)) {
    report(reset, `signal-${signalName(signal)}`, `the disposition of ${signalName(signal)} could not be reset`);
  }
}
