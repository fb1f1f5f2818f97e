// The program a restart starts and the files it brings along: one decision, since a new executable lies where the program is started from.
import { HotexecError, type ErrorData } from '../errors.ts';
import { sameProgram, type ProgramChange } from '../protocol/request.ts';
import type { ResolvedVersion } from '../history/resolve.ts';
import { describeErrno } from '../native/errno.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import { planFiles } from './files/plan.ts';
import { pathOf, type FilePlan } from './files/planned.ts';
import { planRestored, type RestoredFile } from './files/restored.ts';
import type { Observed } from './observe.ts';
import { chooseProgram, type Chosen, type Program } from './program.ts';
import { homeDirectory, judgeForMemory, lookUpFile, whyNotStartable } from './startable.ts';

export interface PlannedProgram extends Chosen {
  readonly files: FilePlan;
}

/** One that ran there before, and what its files were then. */
export function planVersion(
  observed: Observed,
  { program, files: earlier }: ResolvedVersion,
  reasons: ErrorData[],
): PlannedProgram {
  using root = new ProcessRoot(observed.tid);
  const files = planRestored(root, observed, earlier.map(restoredFile));
  reasons.push(...files.refusals);
  const wanted = { ...program, memory: null };
  const { why } = isBrought(wanted, files) ? fine : judge(root, wanted, observed.program.cwd);
  if (why !== undefined) reasons.push(notStartable(observed, wanted, why));
  return { program: wanted, files, warnings: files.warnings };
}

function restoredFile({ path, before }: ResolvedVersion['files'][number]): RestoredFile {
  if (before === null) return { path, before };
  const capability = before.capability === null ? null : Buffer.from(before.capability, 'base64').toString('hex');
  return { path, before: { ...before, capability } };
}

interface Wanted {
  readonly change: ProgramChange;
  readonly keepFds: readonly number[];
}

/** Null: no program could be chosen. Every reason why not goes to `reasons`. */
export function planProgram(observed: Observed, wanted: Wanted, reasons: ErrorData[]): PlannedProgram | null {
  try {
    using root = new ProcessRoot(observed.tid);
    const chosen = choose(observed, wanted, root);
    const destination = wanted.change.replacement === null ? null : placeOfExecutable(observed, wanted.change, chosen);
    const files = planFiles(root, { observed, change: wanted.change }, destination);
    reasons.push(...files.refusals);
    const planned = files.memory ? choose(observed, { ...wanted, change: inMemory(wanted.change) }, root) : chosen;
    const program = destination === null || files.memory ? planned.program : at(planned.program, destination);
    const noDirectory = whyNoDirectory(root, wanted.change);
    if (noDirectory !== null) reasons.push(noDirectory);
    const { why, warnings } = isBrought(program, files) ? fine : judge(root, program, observed.program.cwd);
    if (why !== undefined) reasons.push(notStartable(observed, program, why));
    return { program, files, warnings: [...planned.warnings, ...files.warnings, ...warnings] };
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    reasons.push(error.toData());
    return null;
  }
}

function whyNoDirectory(root: ProcessRoot, { cwd, files }: ProgramChange): ErrorData | null {
  // One that is brought along is not there yet.
  if (cwd === null || files.some(({ destination }) => destination.startsWith(cwd))) return null;
  const stat = root.stat(cwd);
  if (typeof stat !== 'number' && stat.isDirectory()) return null;
  const why = typeof stat === 'number' ? describeErrno(stat) : 'is no directory';
  return {
    code: 'program-not-startable',
    message: `the working directory ${cwd}: ${why}. Nothing was touched.`,
    hint: 'it is looked for inside the container',
  };
}

/** The program that runs now, as a restart without any change would start it; or why it cannot be. */
export function choosePrevious(observed: Observed, keepFds: readonly number[]): Program | string {
  try {
    using root = new ProcessRoot(observed.tid);
    const { program } = choose(observed, { change: sameProgram, keepFds }, root);
    // Its file has no name any more, or another one has it: what still runs is kept open.
    if (observed.program.exeReplaced)
      return { ...program, path: Buffer.from(observed.program.exe.slice(1)), memory: { kind: 'running' } };
    return whyNotStartable(root, program.path.toString(), { cwd: observed.program.cwd }) ?? program;
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return error.message;
  }
}

function choose(observed: Observed, { change, keepFds }: Wanted, root: ProcessRoot): Chosen {
  return chooseProgram(observed, change, {
    look: (path) => lookUpFile(root, path),
    homeOf: (uid) => homeDirectory(root, uid),
    keepFds,
  });
}

/**
 * What `--with` takes the place of: the path that is executed, which for a script is the script. Where the process has overwritten its
 * arguments, a spec may name an entrypoint that has become the program since: then it is what runs. Null: that has no path.
 */
function placeOfExecutable(observed: Observed, { exe, command }: ProgramChange, { program }: Chosen): string | null {
  if (exe !== null) return exe;
  const runs = observed.program.exe.startsWith('/memfd:') ? null : observed.program.exe;
  const isKnown = command !== null || observed.program.argv.kind === 'intact';
  return isKnown && program.memory === null ? program.path.toString() : runs;
}

function inMemory(change: ProgramChange): ProgramChange {
  return { ...change, replacement: change.replacement && { ...change.replacement, inMemory: 'always' } };
}

function at(program: Program, path: string): Program {
  return { ...program, path: Buffer.from(path), memory: null };
}

function isBrought({ path }: Program, { files }: FilePlan): boolean {
  return files.some((file) => file.isExecutable || pathOf(file) === path.toString());
}

interface Judged {
  readonly why: string | undefined;
  readonly warnings: readonly string[];
}

const fine: Judged = { why: undefined, warnings: [] };

function judge(root: ProcessRoot, { memory, path }: Program, cwd: string): Judged {
  if (memory === null) return { why: whyNotStartable(root, path.toString(), { cwd }), warnings: [] };
  return memory.kind === 'local' ? judgeForMemory(root, memory.path) : fine;
}

function notStartable({ target }: Observed, { memory }: Program, why: string): ErrorData {
  return {
    code: 'program-not-startable',
    message: `${target.name}: ${why}. Nothing was touched; the old program runs on unchanged.`,
    hint: memory === null ? 'the path is meant inside the container; name another with --exe or -- COMMAND' : null,
  };
}
