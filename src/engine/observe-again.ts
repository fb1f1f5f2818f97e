// The work of the second attempt: what is there now is the program that failed.
import { observe } from './observe.ts';
import { planAgain } from './plan.ts';
import type { Program } from './program.ts';
import type { Work } from './work.ts';

export function observeAgain(work: Work, program: Program): Work {
  const { request, host } = work;
  const observed = observe(request.target, host.ourselves);
  const plan = planAgain(observed, program, request.options);
  const probation = work.probation === null ? null : { ...work.probation, catches: false };
  // Whoever gives up now has nothing to go back to.
  const hurried = { ...host, interruption: () => null };
  return { ...work, host: hurried, observed, plan, program, previous: null, probation };
}
