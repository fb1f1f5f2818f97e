// `hotexec inspect`: what runs in the target and whether it can be restarted here. Reads only.
import { freemem } from 'node:os';
import { driftOf } from './engine/drift.ts';
import { describeDescriptors, describeThreads, namespacesOf } from './engine/describe-process.ts';
import { foretellDrain, foretellListeners } from './engine/foretell.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe, type Observed } from './engine/observe.ts';
import { planRestart, summarizeObserved, type RestartPlan } from './engine/plan.ts';
import { nameOf } from './engine/program.ts';
import type { Inspection } from './protocol/inspection.ts';
import { defaultRestartOptions, sameProgram, type EngineRequest } from './protocol/request.ts';
import { ProcessRoot } from './rootfs/open.ts';
import { signalsIn } from './procfs/status.ts';
import { signalName } from './tracer/signals.ts';

export type InspectRequest = Extract<EngineRequest, { readonly kind: 'inspect' }>;

export function inspect(request: InspectRequest, host: Host): Inspection {
  const observed = observe(request.target, host.ourselves);
  const world = { kernel: kernelVersion(), freeMemoryBytes: freemem() };
  const plan = planRestart(observed, { program: sameProgram, options: defaultRestartOptions }, world);
  return {
    apiVersion: 'hotexec/v1',
    kind: 'Inspection',
    operationId: request.operationId,
    target: request.target.name,
    pid: request.target.pid,
    startTicks: request.target.startTicks,
    container: request.target.container,
    program: programOf(observed, request.showEnvironment),
    drift: driftOf(observed, { showEnvironment: request.showEnvironment, exeStands: exeStands(observed) }),
    memory: memoryOf(observed),
    descriptors: describeDescriptors(observed.tid, observed.descriptors),
    threads: describeThreads(observed.target.pid, observed.threads),
    children: observed.descendants.map(({ pid, comm, state, spared }) => ({ pid, comm, state, spared })),
    ...confinementOf(observed),
    signals: signalsOf(observed),
    limits: limitsOf(observed),
    namespaces: namespacesOf(observed.tid),
    verdict: verdictOf(observed, plan),
  };
}

function programOf(observed: Observed, showEnvironment: boolean): Inspection['program'] {
  const { program, target } = observed;
  const environ = program.environ.kind === 'intact' ? program.environ.words : [];
  return {
    exe: program.exe,
    exeReplaced: program.exeReplaced,
    execPath: program.execPath,
    argv: summarizeObserved(observed).argv,
    argvIntact: program.argv.kind === 'intact',
    environmentNames: environ.map(nameOf),
    environment: showEnvironment ? environ.map(String) : null,
    environmentIntact: program.environ.kind === 'intact',
    cwd: program.cwd,
    root: program.root,
    spec: target.spec === null ? null : { argv: target.spec.args, cwd: target.spec.cwd },
  };
}

function exeStands({ tid, program }: Observed): boolean {
  using root = new ProcessRoot(tid);
  return typeof root.stat(program.exe) !== 'number';
}

function memoryOf({ stat, status, cgroup }: Observed): Inspection['memory'] {
  return {
    argStart: hex(stat.argStart),
    argEnd: hex(stat.argEnd),
    envStart: hex(stat.envStart),
    envEnd: hex(stat.envEnd),
    stackStart: hex(stat.startStack),
    residentBytes: status.vmRssBytes ?? 0,
    headroomBytes: cgroup.headroomBytes,
  };
}

function confinementOf({ status }: Observed): Pick<Inspection, 'credentials' | 'seccomp'> {
  return {
    credentials: {
      uid: status.uid ?? [],
      gid: status.gid ?? [],
      groups: status.groups ?? [],
      capabilities: {
        inheritable: mask(status.capInh),
        permitted: mask(status.capPrm),
        effective: mask(status.capEff),
        bounding: mask(status.capBnd),
        ambient: mask(status.capAmb),
      },
      noNewPrivileges: status.noNewPrivs ?? false,
    },
    seccomp: {
      mode: (['disabled', 'strict', 'filter'] as const)[status.seccomp ?? 0] ?? 'filter',
      filters: status.seccompFilters ?? null,
    },
  };
}

function signalsOf({ status }: Observed): Inspection['signals'] {
  return {
    ignored: names(status.sigIgn),
    caught: names(status.sigCgt),
    blocked: names(status.sigBlk),
    pending: names((status.sigPnd ?? 0n) | (status.shdPnd ?? 0n)),
  };
}

function limitsOf({ limits }: Observed): Inspection['limits'] {
  return Object.fromEntries(
    Object.entries(limits).map(([name, { soft, hard }]) => [name, { soft: String(soft), hard: String(hard) }]),
  );
}

function verdictOf(observed: Observed, plan: RestartPlan): Inspection['verdict'] {
  const { refusals, notFresh, warnings } = plan;
  const [drain, listeners] = [foretellDrain(plan.drain), foretellListeners(plan.handOver)];
  return { possible: refusals.length === 0, refusals, notFresh, warnings, drain, listeners };
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}

function mask(bits: bigint | undefined): string {
  return (bits ?? 0n).toString(16).padStart(16, '0');
}

function names(signals: bigint | undefined): readonly string[] {
  return signalsIn(signals ?? 0n).map(signalName);
}
