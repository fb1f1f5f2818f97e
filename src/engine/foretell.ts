// What is told beforehand of the drain and of the sockets: the decisions of a restart, which then acts on them.
import type { PlannedDrain, PlannedListener } from '../protocol/plan.ts';
import { signalName } from '../tracer/signals.ts';
import type { DrainPlan } from './drain.ts';
import type { HandOverPlan } from './handover/plan.ts';

export function foretellDrain(plan: DrainPlan): PlannedDrain {
  return plan.kind === 'ask'
    ? { signal: signalName(plan.signal), gracePeriodMs: plan.graceMs, why: null }
    : { signal: null, gracePeriodMs: null, why: plan.why };
}

export function foretellListeners({ served, refused }: HandOverPlan): readonly PlannedListener[] {
  return [
    ...served.map(({ name, address }) => ({ protocol: name, address, handOver: true, why: null })),
    ...refused.map(({ protocol, address, why }) => ({ protocol, address, handOver: false, why })),
  ];
}
