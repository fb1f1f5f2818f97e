// How much a record holds. A container that is restarted all day must not fill its disk with old files, nor ours with their names.
import type { Entry, FileChange, RecordedProgram } from './entry.ts';
import { goodVersions } from './resolve.ts';

export interface Limits {
  /** The running one among them. */
  readonly versions: number;
  /** Content that is kept inside the container. */
  readonly keptBytes: number;
  /** Path, arguments and environment of one program, as the record holds them. */
  readonly programBytes: number;
  /** The list of the files that one version changed, as the record holds it. */
  readonly filesBytes: number;
  readonly recordBytes: number;
}

export const limits: Limits = {
  versions: 10,
  keptBytes: 1024 ** 3,
  programBytes: 512 * 1024,
  filesBytes: 8 * 1024 ** 2,
  recordBytes: 24 * 1024 ** 2,
};

/** Of a record in memory, which counts as the pod's. */
export const limitsInMemory: Limits = {
  ...limits,
  programBytes: 256 * 1024,
  filesBytes: 256 * 1024,
  recordBytes: 1024 ** 2,
};

export interface Bounded {
  readonly entries: readonly Entry[];
  /** Paths inside the container of kept files that no version needs any more. */
  readonly unneeded: readonly string[];
}

/**
 * Takes out what is too much: the oldest of the failed ones first, then the oldest; the running version and the one before it always stay.
 * Entries are oldest first.
 */
export function bound(all: readonly Entry[], within: Limits = limits): Bounded {
  let entries = all;
  for (;;) {
    const dropped = isTooMuch(entries, within) ? leastNeeded(entries, within) : undefined;
    if (dropped === undefined) break;
    entries = entries.filter((entry) => entry !== dropped);
  }
  const kept = withoutUnreachable(entries);
  const still = new Set(keptIn(kept));
  return { entries: kept, unneeded: keptIn(all).filter((path) => !still.has(path)) };
}

function isTooMuch(entries: readonly Entry[], { versions, keptBytes, recordBytes }: Limits): boolean {
  return entries.length > versions || keptSize(entries) > keptBytes || sizeOf(entries) > recordBytes;
}

/** The newest is never taken: if it has failed, that is what its owner wants to read. */
function leastNeeded(entries: readonly Entry[], within: Limits): Entry | undefined {
  const failed = entries.slice(0, -1).find((entry) => entry.state === 'failed');
  if (failed !== undefined && keptSize(entries) <= within.keptBytes) return failed;
  const good = goodVersions(entries);
  return good.length > 2 ? good[0] : failed;
}

/** What was there before the oldest version cannot be gone back to. */
function withoutUnreachable(entries: readonly Entry[]): readonly Entry[] {
  const oldest = goodVersions(entries)[0]?.number ?? Number.POSITIVE_INFINITY;
  return entries.map((entry) =>
    entry.number <= oldest || entry.state === 'failed' ? { ...entry, files: entry.files.map(withoutBefore) } : entry,
  );
}

function withoutBefore(file: FileChange): FileChange {
  return file.before === null ? file : { ...file, before: null };
}

function keptSize(entries: readonly Entry[]): number {
  return goodVersions(entries)
    .slice(1)
    .flatMap(({ files }) => files)
    .reduce((sum, { before }) => sum + (before?.sizeBytes ?? 0), 0);
}

export function keptIn(entries: readonly Entry[]): readonly string[] {
  return entries.flatMap(({ files }) => files.flatMap(({ before }) => before?.keptAs ?? []));
}

/** The program, or that it is too large. */
export function boundProgram(program: RecordedProgram, within: Limits = limits): RecordedProgram {
  if (program.kind === 'unknown' || sizeOf(program) <= within.programBytes) return program;
  const exe = Buffer.from(program.path.slice(0, 8192), 'base64').toString();
  return {
    kind: 'unknown',
    exe,
    cwd: program.cwd ?? '',
    why: 'its arguments and environment are too large to be recorded',
  };
}

/** The list of files, or null: it is too long. */
export function boundFiles(files: readonly FileChange[], within: Limits = limits): readonly FileChange[] | null {
  return sizeOf(files) <= within.filesBytes ? files : null;
}

function sizeOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
