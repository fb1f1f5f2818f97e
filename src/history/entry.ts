// What the record holds of each program that ran in a container: all that it takes to start it again with the files it had.
import type { VersionState } from '../protocol/history.ts';
import type { ChangedFile, ProgramEnd, ProgramSummary } from '../protocol/result.ts';

/** Arguments for execve, as the engine has them. */
export interface ProgramBytes {
  readonly path: Buffer;
  readonly argv: readonly Buffer[];
  /** `NAME=value`: secrets. */
  readonly environment: readonly Buffer[];
  /** Null: where the process is. */
  readonly cwd: string | null;
}

/** In the file bytes are base64, since neither arguments nor paths need to be text. */
export type RecordedProgram =
  | {
      readonly kind: 'known';
      readonly path: string;
      readonly argv: readonly string[];
      readonly environment: readonly string[];
      readonly cwd: string | null;
    }
  /** The process did not tell, or it is too much to be recorded. */
  | { readonly kind: 'unknown'; readonly exe: string; readonly cwd: string; readonly why: string };

/**
 * One life of one program: a process between two execs. The kernel chooses the address of the stack anew at each exec, so it tells an
 * exec by the process itself or by somebody else from ours.
 */
export interface Run {
  readonly pid: number;
  readonly startTicks: number;
  /** Of this boot of the machine: pids and start times are told apart by it. */
  readonly bootId: string;
  /** Field 28 of /proc/PID/stat, hexadecimal. */
  readonly startStack: string;
}

/** What a file was before a version changed it, and where that content is kept inside the container. */
export interface KeptFile {
  readonly keptAs: string;
  /** Of the file as it was, with the set-id bits that the kept one has not. Ids as inside the container. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** security.capability of the file as it was, base64; null: none. */
  readonly capability: string | null;
}

export interface FileChange {
  /** Inside the container; `memfd:NAME` where the executable is in memory alone. */
  readonly path: string;
  readonly change: ChangedFile['change'];
  /** SHA-256 of what this version has there; null: nothing. */
  readonly digest: string | null;
  /** Null: there was nothing before. */
  readonly before: KeptFile | null;
}

export interface Entry {
  readonly number: number;
  readonly startedAt: string | null;
  readonly recordedAt: string;
  readonly by: string | null;
  readonly operationId: string | null;
  readonly backTo: number | null;
  readonly program: RecordedProgram;
  readonly files: readonly FileChange[];
  /** False: it changed more files than a record holds, so none of the versions before it can be put together again. */
  readonly filesComplete: boolean;
  /** `starting`: written before the exec; what came of it has not been written yet. */
  readonly state: VersionState | 'starting';
  readonly end: ProgramEnd | null;
  readonly run: Run | null;
}

/** What runs in the target now. */
export interface Running {
  readonly run: Run;
  /** As it would be started again. */
  readonly program: RecordedProgram;
}

export function recordProgram({ path, argv, environment, cwd }: ProgramBytes): RecordedProgram {
  return {
    kind: 'known',
    path: path.toString('base64'),
    argv: argv.map((word) => word.toString('base64')),
    environment: environment.map((entry) => entry.toString('base64')),
    cwd,
  };
}

export function programBytes(program: Extract<RecordedProgram, { readonly kind: 'known' }>): ProgramBytes {
  return {
    path: fromBase64(program.path),
    argv: program.argv.map(fromBase64),
    environment: program.environment.map(fromBase64),
    cwd: program.cwd,
  };
}

/** For people: bytes that are not UTF-8 show as U+FFFD. */
export function summarizeRecorded(program: RecordedProgram): ProgramSummary {
  if (program.kind === 'unknown') return { exe: program.exe, argv: [], cwd: program.cwd };
  return { exe: textOf(program.path), argv: program.argv.map(textOf), cwd: program.cwd ?? '' };
}

/** Its executable is in no file: once another program runs, it is gone. */
export function isInMemory({ program, files }: Pick<Entry, 'program' | 'files'>): boolean {
  if (files.some(({ change }) => change === 'in-memory')) return true;
  const path = summarizeRecorded(program).exe;
  return /^\/?memfd:|^\/(?:proc\/[^/]+|dev)\/fd\//.test(path);
}

export function isSameProgram(one: RecordedProgram, other: RecordedProgram): boolean {
  if (one.kind === 'unknown' || other.kind === 'unknown') return false;
  return one.path === other.path && isSame(one.argv, other.argv) && isSame(one.environment, other.environment);
}

export function isSameRun(one: Run | null, other: Run): boolean {
  return one !== null && isSameProcess(one, other) && one.startStack === other.startStack;
}

export function isSameProcess(one: Run | null, other: Run): boolean {
  return one?.pid === other.pid && one.startTicks === other.startTicks && one.bootId === other.bootId;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

function textOf(base64: string): string {
  return fromBase64(base64).toString();
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
