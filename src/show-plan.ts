// `hotexec plan restart`: everything a restart would decide and do, without doing it.
import { freemem } from 'node:os';
import { describeSteps } from './engine/describe-steps.ts';
import { foretellDrain, foretellFiles, foretellListeners } from './engine/foretell.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { planRestart, summarize, summarizeObserved } from './engine/plan.ts';
import { recall } from './engine/recall.ts';
import { ProgramRecord } from './engine/program-record.ts';
import { nameOf } from './engine/program.ts';
import type { Plan } from './protocol/plan.ts';
import type { EngineRequest } from './protocol/request.ts';

export type PlanRequest = Extract<EngineRequest, { readonly kind: 'plan' }>;

export function showPlan(request: PlanRequest, host: Host): Plan {
  const seen = observe(request.target, host.ourselves);
  const warnings: string[] = [];
  const record = new ProgramRecord(seen, host, { warn: (message) => warnings.push(message), readOnly: true });
  const observed = recall(seen, record.known);
  const world = { kernel: kernelVersion(), freeMemoryBytes: freemem() };
  const decided = planRestart(observed, { ...request, version: record.resolve(request) }, world);
  const { program } = decided;
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
    warnings: [...warnings, ...decided.warnings],
    before: summarizeObserved(observed),
    after:
      program === null
        ? null
        : { ...summarize(program, observed.program.cwd), environmentNames: program.environment.map(nameOf) },
    files: foretellFiles(decided),
    drain: foretellDrain(decided.drain),
    listeners: foretellListeners(decided.handOver),
    steps: program === null ? [] : describeSteps(observed, decided, { options: request.options, program }),
    notFresh: decided.notFresh,
  };
}
