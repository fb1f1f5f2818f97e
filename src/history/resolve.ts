// What it takes to go back to a version: its program, and for each file that later versions changed the content it had then. Pure.
import { HotexecError } from '../errors.ts';
import { isInMemory, programBytes, type Entry, type KeptFile, type ProgramBytes } from './entry.ts';

/** One file as it was at a version: copied from where it is kept, which stays; or absent. */
export interface RestoredFile {
  readonly path: string;
  /** Null: it was not there. */
  readonly before: KeptFile | null;
}

export interface ResolvedVersion {
  readonly number: number;
  readonly program: ProgramBytes;
  readonly files: readonly RestoredFile[];
}

/** Whether a kept file is still there, by its path inside the container. */
export type IsThere = (keptAs: string) => boolean;

/** Its files are the container's files: it ran and was not undone. */
function isGood({ state }: Entry): boolean {
  return state !== 'failed' && state !== 'starting';
}

export function goodVersions(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(isGood);
}

/**
 * Each path that a later version touched first: what that one kept is what there was. Entries are oldest first; failed ones have put
 * their files back.
 */
function filesAt(entries: readonly Entry[], number: number): readonly RestoredFile[] {
  const found = new Map<string, RestoredFile>();
  for (const entry of goodVersions(entries)) {
    if (entry.number <= number) continue;
    for (const { path, change, before } of entry.files) {
      if (change !== 'in-memory' && !found.has(path)) found.set(path, { path, before });
    }
  }
  return [...found.values()];
}

/** Whether a version can be gone back to; else why not, as a clause. */
export function availability(entries: readonly Entry[], entry: Entry, isThere: IsThere): true | string {
  const { number, program, state, files } = entry;
  if (program.kind === 'unknown') return program.why;
  if (isInMemory(entry)) return 'its executable was in memory alone';
  if (state === 'failed' && files.length > 0) return 'it failed, and its files were put back';
  const cut = goodVersions(entries).find((later) => later.number > number && !later.filesComplete);
  if (cut !== undefined) return `version ${cut.number} changed more files than the record holds`;
  const missing = filesAt(entries, number).find(({ before }) => before !== null && !isThere(before.keptAs));
  if (missing !== undefined) return `${missing.path} as it was then is not kept any more`;
  return true;
}

/** @throws {HotexecError} `no-such-version` or `version-unavailable`, each with what there is to go back to. */
export function resolveVersion(
  entries: readonly Entry[],
  wanted: 'previous' | number,
  { target, isThere }: { readonly target: string; readonly isThere: IsThere },
): ResolvedVersion {
  const entry = wanted === 'previous' ? previous(entries) : entries.find(({ number }) => number === wanted);
  const hint = whatThereIs(entries, isThere);
  if (entry === undefined || entry.state === 'starting') throw noSuchVersion(wanted, { target, hint });
  const available = availability(entries, entry, isThere);
  if (available !== true || entry.program.kind === 'unknown') {
    throw new HotexecError({
      code: 'version-unavailable',
      message: `${target}: version ${entry.number} cannot be gone back to: ${available}. Nothing was touched.`,
      hint,
    });
  }
  return { number: entry.number, program: programBytes(entry.program), files: filesAt(entries, entry.number) };
}

/** The one that ran before the one that runs. */
function previous(entries: readonly Entry[]): Entry | undefined {
  const good = goodVersions(entries);
  return good.at(-2);
}

function noSuchVersion(
  wanted: 'previous' | number,
  { target, hint }: { readonly target: string; readonly hint: string },
): HotexecError {
  const message =
    wanted === 'previous'
      ? `${target}: there is nothing to go back to: the record has no program that ran there before this one.`
      : `${target}: there is no version ${wanted} in the record.`;
  return new HotexecError({ code: 'no-such-version', message: `${message} Nothing was touched.`, hint });
}

function whatThereIs(entries: readonly Entry[], isThere: IsThere): string {
  const current = goodVersions(entries).at(-1);
  const numbers = entries
    .filter((entry) => entry !== current && availability(entries, entry, isThere) === true)
    .map(({ number }) => number);
  if (numbers.length === 0) {
    return 'what hotexec starts there from now on is recorded; hotexec rollback TARGET --list shows the record';
  }
  return `there is ${numbers.join(', ')}; hotexec rollback TARGET --list shows them`;
}
