// The end of the holder: its memory is freed outside of any hold, then the new program is made to collect it in a second, short one.
import { observe } from './observe.ts';
import { seize } from './seize.ts';
import type { Holder } from './swap.ts';
import { reapChild } from './undo.ts';
import { syscallInstruction } from './vdso.ts';
import type { Work } from './work.ts';

export function reapHolder(work: Work, holder: Holder): void {
  holder.kill();
  try {
    const observed = observe(work.observed.target, work.host.ourselves.pids);
    const instruction = syscallInstruction(observed);
    const { held, alreadyStopped } = seize(observed, work.journal);
    using target = held;
    using _stopped = target.stopAll(alreadyStopped);
    using _registers = target.borrow(instruction, work.host.observer);
    reapChild(target, holder.pidInside);
  } catch (error) {
    // The new program runs; what may be left is a zombie without memory, which its end clears.
    const why = error instanceof Error ? error.message : String(error);
    work.report.warn(`a zombie (pid ${holder.pidInside} inside) of the swap may be left: ${why}`);
  }
}
