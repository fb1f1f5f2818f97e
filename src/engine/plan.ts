// The decision: what a restart of this target would start and change, or every reason why not. Pure but for reading the files of the
// program that is to be started. `hotexec plan` prints it and stops.
import type { ErrorData } from '../errors.ts';
import { HotexecError } from '../errors.ts';
import { sameProgram, type ProgramChange, type RestartOptions } from '../protocol/request.ts';
import type { NotFresh, ProgramSummary } from '../protocol/result.ts';
import { scratchSizeBytes } from '../remote/scratch.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import { refusals } from './exclusions.ts';
import { knownDifferences, lostPrivileges } from './freshness.ts';
import type { KernelVersion } from './kernel-version.ts';
import type { Observed } from './observe.ts';
import { chooseProgram, nameOf, type Program } from './program.ts';
import { homeDirectory, lookUpFile, judgeForMemory, whyNotStartable } from './startable.ts';

export interface RestartPlan {
  readonly program: Program | null;
  /** What runs now, to be started again if the new program fails its probation; null: it cannot be, and a warning says why. */
  readonly previous: Program | null;
  /** Every reason why not; empty: it can be done. */
  readonly refusals: readonly ErrorData[];
  readonly warnings: readonly string[];
  /** Known beforehand to differ from a fresh start. */
  readonly notFresh: readonly NotFresh[];
  /** Stay open besides 0, 1 and 2: what the user named, and what the launcher passed (sd_listen_fds(3)). */
  readonly keepFds: readonly number[];
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
}

export function planRestart(
  observed: Observed,
  request: Asked,
  world: { readonly kernel: KernelVersion; readonly freeMemoryBytes: number },
): RestartPlan {
  const keepFds = [...request.options.keepFds, ...passedDescriptors(observed)];
  const reasons = [...refusals(observed)];
  const lost = lostPrivileges(observed);
  if (lost.length > 0 && !request.options.force) reasons.push(notFreshRefusal(observed, lost));
  const chosen = reasons.some((reason) => reason.code === 'target-excluded')
    ? null
    : choose(observed, { change: request.program, keepFds }, reasons);
  if (chosen !== null) {
    const small = tooSmall(observed, chosen.program);
    if (small !== undefined) reasons.push(small);
  }
  const wayBack = chosen === null || !watches(request.options) ? null : choosePrevious(observed, keepFds);
  // A dumping child takes down every process that shares its memory before Linux 5.16 (commit 0258b5fd7c71).
  const sharing = world.kernel.atLeast(5, 16);
  return {
    program: chosen?.program ?? null,
    previous: typeof wayBack === 'string' ? null : wayBack,
    refusals: reasons,
    warnings: [
      ...(chosen?.warnings ?? []),
      ...(typeof wayBack === 'string' ? [`should the new program fail, there is no way back: ${wayBack}`] : []),
      ...warnings(observed),
    ],
    notFresh: [...lost, ...knownDifferences(observed)],
    keepFds,
    dryRun: sharing,
    holder: sharing && wantsHolder(observed, world.freeMemoryBytes),
  };
}

/** The same hold once more, for a program that is known: everything that can be asked has been asked before. */
export function planAgain(observed: Observed, program: Program, options: RestartOptions): RestartPlan {
  return {
    program,
    previous: null,
    refusals: [],
    warnings: [],
    notFresh: [...lostPrivileges(observed), ...knownDifferences(observed)],
    keepFds: [...options.keepFds, ...passedDescriptors(observed)],
    dryRun: false,
    holder: false,
  };
}

function watches({ probationMs, rollback }: RestartOptions): boolean {
  return rollback && probationMs !== 0;
}

/** The program that runs now, as a restart without any change would start it; or why it cannot be. */
function choosePrevious(observed: Observed, keepFds: readonly number[]): Program | string {
  try {
    using root = new ProcessRoot(observed.tid);
    const { program } = chooseProgram(observed, sameProgram, {
      look: (path) => lookUpFile(root, path),
      homeOf: (uid) => homeDirectory(root, uid),
      keepFds,
    });
    // Its file has no name any more, or another one has it: what still runs is kept open.
    if (observed.program.exeReplaced)
      return { ...program, path: Buffer.from(observed.program.exe.slice(1)), memory: { kind: 'running' } };
    return whyNotStartable(root, program.path.toString(), { cwd: observed.program.cwd }) ?? program;
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return error.message;
  }
}

function choose(
  observed: Observed,
  { change, keepFds }: { readonly change: ProgramChange; readonly keepFds: readonly number[] },
  reasons: ErrorData[],
): ReturnType<typeof chooseProgram> | null {
  try {
    using root = new ProcessRoot(observed.tid);
    const chosen = chooseProgram(observed, change, {
      look: (path) => lookUpFile(root, path),
      homeOf: (uid) => homeDirectory(root, uid),
      keepFds,
    });
    const { memory } = chosen.program;
    const { why, warnings: differences } =
      memory === null
        ? { why: whyNotStartable(root, chosen.program.path.toString(), { cwd: observed.program.cwd }), warnings: [] }
        : memory.kind === 'local'
          ? judgeForMemory(root, memory.path)
          : { why: undefined, warnings: [] };
    if (why !== undefined) {
      reasons.push({
        code: 'program-not-startable',
        message: `${observed.target.name}: ${why}. Nothing was touched; the old program runs on unchanged.`,
        hint: memory === null ? 'the path is meant inside the container; name another with --exe or -- COMMAND' : null,
      });
    }
    return { ...chosen, warnings: [...chosen.warnings, ...differences] };
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    reasons.push(error.toData());
    return null;
  }
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
