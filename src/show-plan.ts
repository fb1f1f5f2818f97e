// `hotexec plan restart`: everything a restart would decide and do, without doing it.
import { freemem } from 'node:os';
import { describeSteps } from './engine/describe-steps.ts';
import { planDrain } from './engine/drain.ts';
import { foretellDrain, foretellListeners } from './engine/foretell.ts';
import { planHandOver } from './engine/handover/plan.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { planRestart, summarize, summarizeObserved } from './engine/plan.ts';
import { planProbation } from './engine/probation.ts';
import { nameOf } from './engine/program.ts';
import type { Plan } from './protocol/plan.ts';
import type { EngineRequest } from './protocol/request.ts';

export type PlanRequest = Extract<EngineRequest, { readonly kind: 'plan' }>;

export function showPlan(request: PlanRequest, host: Host): Plan {
  const observed = observe(request.target, host.ourselves);
  const world = { kernel: kernelVersion(), freeMemoryBytes: freemem() };
  const decided = planRestart(observed, request, world);
  const { program } = decided;
  const draining = planDrain(observed, request.options);
  const handOver = planHandOver(observed, request.options);
  const probation = planProbation(observed, request.options, handOver.served.length > 0);
  return {
    apiVersion: 'hotexec/v1',
    kind: 'Plan',
    operationId: request.operationId,
    target: request.target.name,
    pid: request.target.pid,
    startTicks: request.target.startTicks,
    container: request.target.container,
    possible: decided.refusals.length === 0,
    refusals: decided.refusals,
    warnings: decided.warnings,
    before: summarizeObserved(observed),
    after:
      program === null
        ? null
        : { ...summarize(program, observed.program.cwd), environmentNames: program.environment.map(nameOf) },
    files: [],
    drain: foretellDrain(draining),
    listeners: foretellListeners(handOver),
    steps:
      program === null
        ? []
        : describeSteps(observed, decided, { options: request.options, program, draining, handOver, probation }),
    notFresh: decided.notFresh,
  };
}
