// One locked file for each target, PID-STARTTIME in the runtime directory: mutual exclusion, and what a mender must know if this engine
// is killed. A line is written before the effect it tells of. Room is taken in advance, so a full disk is found before anything is touched.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { arch } from '../arch/arch.ts';
import { HotexecError } from '../errors.ts';
import { describeErrno, EOPNOTSUPP } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';
import { parseOwnLine } from '../protocol/own-line.ts';
import { makePrivateDirectory } from '../protocol/private-directory.ts';
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type { Change, Mark } from './change.ts';

const LOCK_EX_NB = 2 | 4;
const PF_EXITING = 0x4;
const deathPatienceMs = 500;
const lookAgainNs = 1_000_000;
const reservedBytes = 64 * 1024;
// A number of ten digits and its comma, in two lines, and as many again that come before the hold.
const bytesAnEntry = 44;
const outlivesExec: ReadonlySet<Change['kind']> = new Set<Change['kind']>([
  'tracer',
  'holder',
  'temporary',
  'file',
  'directory',
]);

/** The program as it is to be started; bytes are base64, since arguments need not be text. */
export interface JournalledProgram {
  readonly path: string;
  readonly argv: readonly string[];
  readonly environment: readonly string[];
  readonly cwd: string | null;
  /** It is started from memory: once it runs, its file is what /proc/PID/exe leads to. */
  readonly memory: boolean;
}

/** The first line: whose journal this is and what was to be done. */
export interface JournalHeader {
  readonly version: 1;
  readonly operationId: string;
  readonly enginePid: number;
  readonly program: JournalledProgram;
  /** What is started again should it fail its probation; null: nothing. */
  readonly previous: JournalledProgram | null;
  /** The request as it came: what the resets of the new program need. */
  readonly request: RestartRequest;
}

interface Startable {
  readonly path: Buffer;
  readonly argv: readonly Buffer[];
  readonly environment: readonly Buffer[];
  readonly cwd: string | null;
  /** Not null: it is started from memory. */
  readonly memory: object | null;
}

export function journalHeader(
  request: RestartRequest,
  enginePid: number,
  { program, previous }: { readonly program: Startable; readonly previous: Startable | null },
): JournalHeader {
  return {
    version: 1,
    operationId: request.operationId,
    enginePid,
    request,
    program: journalled(program),
    previous: previous === null ? null : journalled(previous),
  };
}

function journalled({ path, argv, environment, cwd, memory }: Startable): JournalledProgram {
  return {
    path: path.toString('base64'),
    argv: argv.map((word) => word.toString('base64')),
    environment: environment.map((entry) => entry.toString('base64')),
    cwd,
    memory: memory !== null,
  };
}

type Line =
  | { readonly header: JournalHeader }
  | { readonly change: Change; readonly id: number }
  | { readonly strike: number }
  | { readonly mark: Mark };

export interface JournalledChange {
  readonly id: number;
  readonly change: Change;
}

/** What the file says: the changes that were begun and not undone, oldest first. */
export interface JournalState {
  readonly header: JournalHeader;
  readonly changes: readonly JournalledChange[];
  /** Made after the mark `exec`, so to the new program if there is one. */
  readonly changesAfterExec: readonly JournalledChange[];
  readonly mark: Mark | null;
  /**
   * What is there unless a later exec has come through. `draining`: the old program, told to finish; `unfinished`: the new program without its resets; `failed`: the new program, about
   * to end or of no use.
   */
  readonly program: 'old' | 'draining' | 'new' | 'unfinished' | 'failed';
  /** Of `draining`: its stop signal was sent. */
  readonly asked: boolean;
  /** Which of the two an exec was to start last. */
  readonly attempt: 'new' | 'previous';
  readonly sizeBytes: number;
}

/** Whose journals they are, and where. */
export interface JournalOwner {
  readonly directory: string;
  readonly uid: number;
  readonly enginePid: number;
}

export interface JournalPlace extends JournalOwner {
  readonly pid: number;
  readonly startTicks: number;
}

/** What lines may have to hold. */
export interface Room {
  /** Descriptors and children that are listed. */
  readonly entries?: number;
  /** Of other lines. */
  readonly bytes?: number;
}

export class Journal implements Disposable {
  readonly path: string;
  readonly #fd: number;
  #offset = 0;
  #nextId = 1;
  #finished = false;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Writes the first line and takes the room for all that follow. */
  begin(header: JournalHeader, { entries = 0, bytes = 0 }: Room = {}): void {
    const line = `${JSON.stringify({ header } satisfies Line)}\n`;
    const reserved = syscall(
      arch.syscalls.fallocate,
      this.#fd,
      0,
      0,
      Buffer.byteLength(line) + reservedBytes + entries * bytesAnEntry + bytes,
    );
    // A file system without fallocate takes the lines as they come.
    if (reserved < 0 && reserved !== -EOPNOTSUPP) {
      throw new HotexecError({
        code: 'journal-unwritable',
        message: `no room for the journal ${this.path}: ${describeErrno(reserved)}. The process was not touched.`,
        hint: 'free some space in the runtime directory, or name another one in HOTEXEC_RUNTIME_DIR',
      });
    }
    this.#append(line);
  }

  /** Goes on with a journal that was read: new lines come after the old ones. */
  resume(state: JournalState): void {
    this.#offset = state.sizeBytes;
    this.#nextId = Math.max(0, ...[...state.changes, ...state.changesAfterExec].map((entry) => entry.id)) + 1;
  }

  /** Everything an earlier engine left is mended: the file starts anew. */
  clear(): void {
    ftruncateSync(this.#fd);
    this.#offset = 0;
    this.#nextId = 1;
  }

  /** To be called before the effect. Returns the number to strike. */
  enter(change: Change): number {
    const id = this.#nextId++;
    this.#append(`${JSON.stringify({ change, id } satisfies Line)}\n`);
    return id;
  }

  /** To be called after the effect has been undone. */
  strike(id: number): void {
    this.#append(`${JSON.stringify({ strike: id } satisfies Line)}\n`);
  }

  mark(mark: Mark): void {
    this.#append(`${JSON.stringify({ mark } satisfies Line)}\n`);
  }

  /** Nothing is left to undo or to mend: the file goes. */
  finish(): void {
    this.#finished = true;
  }

  [Symbol.dispose](): void {
    // Unlinked while the lock is held: whoever waits for the lock looks again whether the path still names the file.
    if (this.#finished || this.#offset === 0) rmSync(this.path, { force: true });
    closeSync(this.#fd);
  }

  #append(line: string): void {
    const bytes = Buffer.from(line);
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(this.#fd, bytes, done, bytes.length - done, this.#offset);
      done += written;
      this.#offset += written;
    }
  }
}

/** Opens and locks the journal of a target. What an earlier engine left in it is in `left`; the caller mends that first. */
export function openJournal(place: JournalPlace): { readonly journal: Journal; readonly left: JournalState | null } {
  const path = join(place.directory, `${place.pid}-${place.startTicks}`);
  const deadlineMs = performance.now() + deathPatienceMs;
  for (;;) {
    const fd = openFile(place, path);
    const locked = syscall(arch.syscalls.flock, fd, LOCK_EX_NB);
    if (locked < 0 && isDying(readState(path)?.header.enginePid) && performance.now() < deadlineMs) {
      closeSync(fd);
      sleep(lookAgainNs);
      continue;
    }
    if (locked < 0) {
      const holder = readState(path)?.header.enginePid;
      closeSync(fd);
      throw new HotexecError({
        code: 'target-busy',
        message: `another hotexec${holder === undefined ? '' : ` (engine pid ${holder})`} is at work on process ${place.pid}. Nothing was touched.`,
        hint: 'wait for it to end, then try again',
      });
    }
    if (!stillNames(path, fd)) {
      closeSync(fd);
      continue;
    }
    return { journal: new Journal(path, fd), left: readState(path) };
  }
}

function openFile({ directory, uid }: JournalOwner, path: string): number {
  try {
    makePrivateDirectory(directory, uid);
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new HotexecError(
      {
        code: 'journal-unwritable',
        message: `cannot open the journal ${path}: ${error instanceof Error ? error.message : String(error)}. The process was not touched.`,
        hint: 'name a private, writable directory in HOTEXEC_RUNTIME_DIR',
      },
      { cause: error },
    );
  }
}

/** An engine that was killed keeps its lock for the moment that its end takes. */
function isDying(enginePid: number | undefined): boolean {
  if (enginePid === undefined) return true;
  const stat = readText(`/proc/${enginePid}/stat`);
  if (stat.kind !== 'read') return true;
  const { state, flags } = parseStat(stat.content);
  return state === 'Z' || state === 'X' || (flags & PF_EXITING) !== 0;
}

function stillNames(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  return named?.ino === fstatSync(fd).ino;
}

function usedBytes(path: string): number {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(0);
  return (end < 0 ? bytes : bytes.subarray(0, end)).lastIndexOf('\n') + 1;
}

const programAfter = { draining: 'draining', released: 'new', again: 'unfinished', failed: 'failed' } as const;

/** What the file says; null when it was never begun. A last line without its end was never acted on. */
export function readState(path: string): JournalState | null {
  const sizeBytes = usedBytes(path);
  const text = readFileSync(path).subarray(0, sizeBytes).toString();
  let header: JournalHeader | undefined;
  let changes: readonly JournalledChange[] = [];
  let changesAfterExec: readonly JournalledChange[] = [];
  let mark: Mark | null = null;
  let program: JournalState['program'] = 'old';
  let attempt: JournalState['attempt'] = 'new';
  let asked = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const entry = parseOwnLine<Line>(line);
    if ('header' in entry) header = entry.header;
    else if ('strike' in entry) {
      changes = changes.filter((change) => change.id !== entry.strike);
      changesAfterExec = changesAfterExec.filter((change) => change.id !== entry.strike);
    } else if ('change' in entry) {
      if (mark === 'exec' || mark === 'own') changesAfterExec = [...changesAfterExec, entry];
      else changes = [...changes, entry];
    } else {
      mark = entry.mark;
      if (mark === 'asked') asked = true;
      // Nothing of what was begun before concerns the program that is there now: only a holder's remains may still be waited for,
      // and files stay as they are until it is known that the new program stays.
      if (mark === 'draining' || mark === 'released' || mark === 'again' || mark === 'failed') {
        program = programAfter[mark];
        if (mark === 'failed') attempt = 'previous';
        changes = [...changes, ...changesAfterExec].filter(({ change: { kind } }) => outlivesExec.has(kind));
        changesAfterExec = [];
      }
    }
  }
  return header === undefined ? null : { header, changes, changesAfterExec, mark, program, asked, attempt, sizeBytes };
}
