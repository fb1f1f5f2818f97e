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
 * Whoever is killed from here on until the group-stop stands (some 50 us) leaves a program that ends as it was about to: there is no net
 * under an end.
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
  if (caught.kind === 'exit') skipCall(tracee);
  const held = new Held(process.pid, tracee, journal);
  held.allows = readFilters(observed, tracee.tid);
  return {
    held,
    alreadyStopped: false,
    onceStopped: () => {
      process.leaveAllBut(tracee.tid, performance.now() + leaveDeadlineMs);
      if (caught.kind === 'exit') makeAgain(tracee, caught.call);
    },
  };
}

function skipCall(tracee: Tracee): void {
  const registers = tracee.registers();
  registers.originalNumber = -1n;
  tracee.setRegisters(registers);
}

/** Let go with these registers, it ends as it would have. */
function makeAgain(tracee: Tracee, call: number): void {
  const registers = tracee.registers();
  registers.rewindCall(call);
  tracee.setRegisters(registers);
}
