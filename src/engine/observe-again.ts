// The work of a later hold: the program has changed since it was observed, by its shutdown or by being another one.
import { observe } from './observe.ts';
import { planAgain } from './plan.ts';
import type { Work } from './work.ts';

/** Past the point of no return: whoever gives up now has nothing to go back to, so nothing interrupts any more. */
export function observeAgain(work: Work): Work {
  const { request, program } = work;
  const observed = observe(request.target, work.host.ourselves);
  const plan = { ...planAgain(observed, program, request.options), holder: work.plan.holder };
  return { ...work, host: { ...work.host, interruption: () => null }, observed, plan };
}

/** The same for the previous program, after which there is no third. */
export function observeForRollback(work: Work): Work {
  const { previous, probation } = work;
  if (previous === null) throw new Error('what has no way back is not caught');
  work.listeners.again();
  return observeAgain({
    ...work,
    plan: { ...work.plan, holder: false },
    program: previous,
    previous: null,
    file: work.previousFile,
    previousFile: null,
    probation: probation === null ? null : { ...probation, catches: false },
  });
}
