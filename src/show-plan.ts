// `hotexec plan restart`: everything a restart would decide and do, without doing it.
import { freemem } from 'node:os';
import { describeSteps } from './engine/describe-steps.ts';
import { execArguments } from './engine/exec-call.ts';
import { foretellDrain, foretellFiles, foretellListeners } from './engine/foretell.ts';
import { gdbScript, type ScriptInput } from './engine/gdb-script/script.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { planRestart, summarize, summarizeObserved } from './engine/plan.ts';
import { recall } from './engine/recall.ts';
import { ProgramRecord } from './engine/program-record.ts';
import { nameOf, type Program } from './engine/program.ts';
import { plannedHooks, skippedPreStop } from './engine/running-hook.ts';
import { chooseScratch } from './engine/stage.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { AT_SYSINFO_EHDR } from './procfs/auxv.ts';
import { readAuxv } from './tracer/auxv.ts';
import { describeHook } from './protocol/hook.ts';
import type { Plan } from './protocol/plan.ts';
import type { EngineRequest, GdbScriptOptions } from './protocol/request.ts';

export type PlanRequest = Extract<EngineRequest, { readonly kind: 'plan' }>;

export function showPlan(request: PlanRequest, host: Host): Plan {
  const seen = observe(request.target, host.ourselves);
  const warnings: string[] = [];
  const record = new ProgramRecord(seen, host, { warn: (message) => warnings.push(message), readOnly: true });
  const observed = recall(seen, record.known);
  const world = { kernel: kernelVersion(), freeMemoryBytes: freemem(), path: host.path };
  const decided = planRestart(observed, { ...request, version: record.resolve(request) }, world);
  const skipped = skippedPreStop(decided.drain, request.options);
  const { program } = decided;
  const wanted = decided.refusals.length === 0 ? (request.gdbScript ?? null) : null;
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
    warnings: [...warnings, ...decided.warnings, ...(skipped === null ? [] : [describeHook(skipped)])],
    before: summarizeObserved(observed),
    after:
      program === null
        ? null
        : { ...summarize(program, observed.program.cwd), environmentNames: program.environment.map(nameOf) },
    files: foretellFiles(decided),
    drain: foretellDrain(decided.drain),
    hooks: plannedHooks(decided.drain, request.options),
    listeners: foretellListeners(decided.handOver),
    steps: program === null ? [] : describeSteps(observed, decided, { options: request.options, program }),
    notFresh: decided.notFresh,
    gdbScript:
      wanted === null ? null : writeScript({ observed, plan: decided, options: request.options, program }, wanted),
  };
}

type Decided = Pick<ScriptInput, 'observed' | 'plan' | 'options'> & { readonly program: Program | null };

function writeScript({ program, ...decided }: Decided, { showEnvironment }: GdbScriptOptions): string | null {
  if (program === null) return null;
  const { observed } = decided;
  return gdbScript({
    ...decided,
    program,
    showEnvironment,
    instruction: syscallInstruction(observed),
    vdso: readAuxv(observed.tid).get(AT_SYSINFO_EHDR) ?? null,
    scratch: chooseScratch(observed.tid, execArguments(program)).address,
  });
}
