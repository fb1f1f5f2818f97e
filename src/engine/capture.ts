// From a program that was about to end to a held process: the other way into a hold. Its end has not happened and will not, unless the
// registers that are given back make it happen.
import type { Journal } from '../journal/journal.ts';
import { Tracee } from '../tracer/tracee.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { Held } from './held.ts';
import type { Observed } from './observe.ts';
import { readFilters } from './seccomp.ts';
import type { Seizure } from './seize.ts';
import type { CaughtThread } from './watch.ts';

const leaveDeadlineMs = 1_000;

/**
 * Were we killed before the group-stop stands (some 50 us from here), it ends as it was about to: there is no net under an end.
 */
export function capture(
  caught: CaughtThread,
  {
    process,
    observed,
    journal,
  }: { readonly process: TracedProcess; readonly observed: Observed; readonly journal: Journal },
): Seizure {
  const tracee = new Tracee(caught.tid);
  if (caught.kind === 'exit') returnToCall(tracee, caught.call);
  const held = new Held(process.pid, tracee, journal);
  held.allows = readFilters(observed, tracee.tid);
  return {
    held,
    alreadyStopped: false,
    onceStopped: () => process.leaveAllBut(tracee.tid, performance.now() + leaveDeadlineMs),
  };
}

/** It comes back to the call that would have ended it, and makes it if nobody stops it there. */
function returnToCall(tracee: Tracee, call: number): void {
  const registers = tracee.registers();
  registers.rewindCall(call);
  tracee.setRegisters(registers);
}
