// The end of the holder: its memory is freed outside of any hold, then the new program is made to collect it in a second, short one.
// A parent that has made an execve since gets a SIGCHLD even for a child without one (kernel/signal.c do_notify_parent), but only when
// the tracer collects the child: so that is done in the hold, where the signal waits and can be taken back.
import { childrenOf } from './descendants.ts';
import { observe } from './observe.ts';
import { roomForSigchld } from './prove.ts';
import { seize } from './seize.ts';
import { chooseScratch, mapScratch } from './stage.ts';
import type { Holder } from './swap.ts';
import { syscallInstruction } from './vdso.ts';
import type { Work } from './work.ts';

const nothing = { path: Buffer.alloc(0), argv: [], environment: [] };

export function reapHolder(work: Work, holder: Holder): void {
  holder.kill();
  try {
    const observed = observe(work.observed.target, work.host.ourselves);
    const instruction = syscallInstruction(observed);
    const scratch = chooseScratch(observed.tid, nothing);
    const { held, alreadyStopped } = seize(observed, work.journal);
    using target = held;
    using _stopped = target.stopAll(alreadyStopped);
    using _registers = target.borrow(instruction, work.host.observer);
    using _scratch = mapScratch(target, scratch);
    const before = childrenOf(target.pid, target.tracee.tid).filter((pid) => pid !== holder.pid);
    using _child = target.change({ kind: 'child', before, room: roomForSigchld(target, scratch) });
    holder.collect();
  } catch (error) {
    // The new program runs; what may be left is a zombie without memory, which its end clears.
    const why = error instanceof Error ? error.message : String(error);
    work.report.warn(`a zombie (pid ${holder.pidInside} inside) of the swap may be left: ${why}`);
  }
}
