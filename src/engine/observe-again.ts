// The work of a later hold: the program has changed since it was observed, by its shutdown or by being another one.
import { mayHaveBoundByRing } from './handover/ring.ts';
import { observe } from './observe.ts';
import { planAgain, type RestartPlan } from './plan.ts';
import type { Work } from './work.ts';

/** The old program is at its end, and the new one takes its place. */
export function observeFinished(work: Work): Work {
  const { drain, holder, previous, probation } = work.plan;
  return observeAgain(work, { drain, holder, previous, probation });
}

/** The new program is at its end, and the previous one takes its place; after that there is no third. */
export function observeFailed(work: Work): Work {
  const { previous, probation } = work.plan;
  if (previous === null) throw new Error('what has no way back is not caught');
  giveUpBehindRing(work);
  work.listeners.again();
  return observeAgain(
    { ...work, program: previous, file: work.previousFile, previousFile: null },
    { probation: probation === null ? null : { ...probation, catches: false } },
  );
}

/** It may have failed because it could not bind: the previous one, which may bind in the same way, is to find its addresses free. */
function giveUpBehindRing({ request, listeners, report }: Work): void {
  const waiting = listeners.listeners.filter(({ state }) => state === 'waiting');
  if (waiting.length === 0 || !mayHaveBoundByRing(request.target.pid)) return;
  for (const listener of waiting) listeners.giveUp(listener, 'an io_uring binds past hotexec');
  report.warn(
    'the new program has used an io_uring: if it binds through that, its sockets cannot be handed over (--no-handover). The previous program was started without them',
  );
}

/** Past the point of no return: whoever gives up now has nothing to go back to, so nothing interrupts any more. */
function observeAgain(work: Work, kept: Partial<RestartPlan>): Work {
  const { request, program } = work;
  const observed = observe(request.target, work.host.ourselves);
  const plan = { ...planAgain(observed, program, request.options), ...kept };
  // What was brought along is in place, or has been put back.
  return { ...work, files: null, host: { ...work.host, interruption: () => null }, observed, plan };
}
