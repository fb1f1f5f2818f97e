// The decision: what a restart of this target would start and change, or every reason why not. Pure but for reading the files of the
// program that is to be started. `hotexec plan` prints it and stops.
import type { ErrorData } from '../errors.ts';
import { HotexecError } from '../errors.ts';
import type { ProgramChange, RestartOptions } from '../protocol/request.ts';
import type { NotFresh, ProgramSummary } from '../protocol/result.ts';
import type { ResolvedVersion } from '../history/resolve.ts';
import { scratchSizeBytes } from '../remote/scratch.ts';
import { planDrain, type DrainPlan } from './drain.ts';
import { driverRefusals } from './driver-limits.ts';
import { refusals } from './exclusions.ts';
import { noFiles, type FilePlan } from './files/planned.ts';
import { listServed, type ServedSocket } from './handover/held-listeners.ts';
import { planHandOver, type HandOverPlan } from './handover/plan.ts';
import { knownDifferences, lostPrivileges } from './freshness.ts';
import type { KernelVersion } from './kernel-version.ts';
import { descriptorTarget } from './descriptors.ts';
import { socketInode } from './sockets.ts';
import type { Observed } from './observe.ts';
import { probeRefusal } from './probe.ts';
import { familyOf, planProbation, type ProbationPlan, type Served } from './probation.ts';
import { choosePrevious, planProgram, planVersion, type PlannedProgram } from './plan-program.ts';
import { nameOf, type Program } from './program.ts';

export interface RestartPlan {
  readonly program: Program | null;
  /** What is brought into the container before it is started. */
  readonly files: FilePlan;
  /** What runs now, to be started again if the new program fails its probation; null: it cannot be, and a warning says why. */
  readonly previous: Program | null;
  /** Every reason why not; empty: it can be done. */
  readonly refusals: readonly ErrorData[];
  readonly warnings: readonly string[];
  /** Known beforehand to differ from a fresh start. */
  readonly notFresh: readonly NotFresh[];
  /** Stay open besides 0, 1 and 2: what the user named, and what the launcher passed (sd_listen_fds(3)). */
  readonly keepFds: readonly number[];
  /** How the old program ends. */
  readonly drain: DrainPlan;
  readonly handOver: HandOverPlan;
  /** Null: the new program is not watched. */
  readonly probation: ProbationPlan | null;
  readonly dryRun: boolean;
  readonly holder: boolean;
}

/** An exec takes a few pages for the new stack and tables while the old program still has all of its own. */
const execHeadroomBytes = 1024 * 1024;
/** Freeing memory takes 84 us a MiB (measured): from here on a holder is worth its 0.2 ms. */
const holderFromBytes = 64 * 1024 * 1024;

interface Asked {
  readonly program: ProgramChange;
  readonly options: RestartOptions;
  /** What is gone back to; null or missing: nothing. */
  readonly version?: ResolvedVersion | null;
}

export function planRestart(
  observed: Observed,
  request: Asked,
  world: { readonly kernel: KernelVersion; readonly freeMemoryBytes: number; readonly path?: string | undefined },
): RestartPlan {
  const keepFds = [...request.options.keepFds, ...passedDescriptors(observed)];
  const byGdb = request.options.driver === 'gdb';
  const reasons = [...refusals(observed), ...driverRefusals(observed, request.options, world.path)];
  const lost = lostPrivileges(observed);
  if (lost.length > 0 && !request.options.force) reasons.push(notFreshRefusal(observed, lost));
  const excluded = reasons.some((reason) => reason.code === 'target-excluded');
  const chosen = excluded ? null : planWanted(observed, request, { keepFds, reasons });
  if (chosen !== null) {
    const small = tooSmall(observed, chosen.program);
    if (small !== undefined) reasons.push(small);
  }
  const { probe } = request.options;
  const noProbe = probe === null ? null : probeRefusal(probe, { tid: observed.tid, name: observed.target.name });
  if (noProbe !== null) reasons.push(noProbe);
  const keptInodes = new Set(keepFds.flatMap((fd) => socketInode(descriptorTarget(observed.tid, fd) ?? '') ?? []));
  const served = listServed(familyOf(observed), keptInodes);
  const handOver = planHandOver(served, request.options);
  const wayBack = chosen === null || byGdb || !watches(request.options) ? null : choosePrevious(observed, keepFds);
  // A dumping child takes down every process that shares its memory before Linux 5.16 (commit 0258b5fd7c71).
  const sharing = !byGdb && world.kernel.atLeast(5, 16);
  return {
    program: chosen?.program ?? null,
    files: chosen?.files ?? noFiles,
    previous: typeof wayBack === 'string' ? null : wayBack,
    refusals: reasons,
    warnings: [
      ...(chosen?.warnings ?? []),
      ...(typeof wayBack === 'string' ? [`should the new program fail, there is no way back: ${wayBack}`] : []),
      ...warnings(observed),
    ],
    notFresh: [...lost, ...knownDifferences(observed)],
    keepFds,
    drain: planDrain(observed, request.options),
    handOver,
    probation: byGdb ? null : planProbation(listenersOf(served), request.options, handOver.served.length > 0),
    dryRun: sharing,
    holder: sharing && wantsHolder(observed, world.freeMemoryBytes),
  };
}

function planWanted(
  observed: Observed,
  { program, version }: Asked,
  { keepFds, reasons }: { readonly keepFds: readonly number[]; readonly reasons: ErrorData[] },
): PlannedProgram | null {
  if (version !== null && version !== undefined) return planVersion(observed, version, reasons);
  return planProgram(observed, { change: program, keepFds }, reasons);
}

/**
 * The same hold once more, for a program that is known: everything that can be asked has been asked before. It is not watched, and nothing
 * is asked of what it replaces.
 */
export function planAgain(observed: Observed, program: Program, options: RestartOptions): RestartPlan {
  return {
    program,
    files: noFiles,
    previous: null,
    refusals: [],
    warnings: [],
    notFresh: [...lostPrivileges(observed), ...knownDifferences(observed)],
    keepFds: [...options.keepFds, ...passedDescriptors(observed)],
    drain: { kind: 'skip', why: 'it is past that' },
    handOver: { served: [], refused: [] },
    probation: null,
    dryRun: false,
    holder: false,
  };
}

function listenersOf(served: readonly ServedSocket[]): Served {
  const all = served.filter(({ listens }) => listens);
  const expected = all.filter(({ kept }) => !kept);
  return {
    listeners: expected.map(({ name, address, inode }) => ({ protocol: name, address, inode })),
    listened: all.length > 0,
  };
}

function watches({ probationMs, rollback }: RestartOptions): boolean {
  return rollback && probationMs !== 0;
}

function notFreshRefusal(observed: Observed, lost: readonly NotFresh[]): ErrorData {
  return {
    code: 'not-fresh',
    message: `${observed.target.name}: the new program would not get what a fresh start has: ${lost.map((entry) => entry.message).join('; ')}. Nothing was touched.`,
    hint: 'execve cannot give these back; --force restarts all the same',
  };
}

function tooSmall(observed: Observed, program: Program): ErrorData | undefined {
  const { headroomBytes } = observed.cgroup;
  const neededBytes = execHeadroomBytes + 2 * scratchSizeBytes(program);
  if (headroomBytes === null || headroomBytes >= neededBytes) return undefined;
  return {
    code: 'memory-too-small',
    message: `${observed.target.name}: only ${kib(headroomBytes)} KiB are free under its memory limit and an exec needs about ${kib(neededBytes)} KiB beside the old program: the kernel might kill it. Nothing was touched.`,
    hint: 'raise the memory limit for the restart (docker update --memory)',
  };
}

function warnings(observed: Observed): readonly string[] {
  const parent = observed.environment.parent;
  if (parent === null || !parent.hasTerminal || observed.target.container !== null) return [];
  return [
    `its parent ${parent.comm} (pid ${parent.pid}) has a terminal and sees the process stop and continue: a shell may report that`,
  ];
}

/** Sockets that systemd or another launcher has opened for the program: LISTEN_FDS of them from 3 on, if LISTEN_PID is the program. */
function passedDescriptors(observed: Observed): readonly number[] {
  const { environ } = observed.program;
  const value = (name: string): string | undefined =>
    environ.kind === 'intact'
      ? environ.words
          .find((word) => nameOf(word) === name)
          ?.toString()
          .slice(name.length + 1)
      : undefined;
  const count = Number(value('LISTEN_FDS') ?? 0);
  if (Number(value('LISTEN_PID')) !== observed.status.nsPid?.at(-1) || !Number.isInteger(count) || count > 1024)
    return [];
  return Array.from({ length: Math.max(0, count) }, (_, index) => 3 + index);
}

/** SysV shared memory, huge pages, aio rings and device mappings must end with the old program: a holder would keep them attached. */
function wantsHolder(observed: Observed, freeMemoryBytes: number): boolean {
  const residentBytes = observed.status.vmRssBytes ?? 0;
  const roomBytes = Math.min(observed.cgroup.headroomBytes ?? Number.POSITIVE_INFINITY, freeMemoryBytes);
  return residentBytes >= holderFromBytes && roomBytes >= residentBytes && !observed.hasAttachments;
}

function kib(bytes: number): number {
  return Math.floor(bytes / 1024);
}

/** The program to start; throws the first reason why it cannot be done. */
export function possible(plan: RestartPlan): Program {
  const [first] = plan.refusals;
  if (first !== undefined) throw new HotexecError(first);
  if (plan.program === null) throw new Error('a plan without refusals has no program');
  return plan.program;
}

/** For people: bytes that are not UTF-8 show as U+FFFD. */
export function summarize(program: Program, currentCwd: string): ProgramSummary {
  return {
    exe: program.path.toString(),
    argv: program.argv.map(String),
    cwd: program.cwd ?? currentCwd,
  };
}

export function summarizeObserved(observed: Observed): ProgramSummary {
  const { exe, argv, cwd } = observed.program;
  return { exe, argv: argv.kind === 'intact' ? argv.words.map(String) : [], cwd };
}
