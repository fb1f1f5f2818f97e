// One locked file for each target, PID-STARTTIME in the runtime directory: mutual exclusion, and what a mender must know if this engine
// is killed. A line is written before the effect it tells of. Room is taken in advance, so a full disk is found before anything is touched.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { arch } from '../arch/arch.ts';
import { HotexecError } from '../errors.ts';
import { describeErrno, EOPNOTSUPP } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';
import { makePrivateDirectory } from '../protocol/private-directory.ts';
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import type { Change, Mark } from './change.ts';
import type { JournalHeader } from './header.ts';
import type { Seal } from '../protocol/seal.ts';
import { placeOf, readState, type JournalState, type Line } from './state.ts';

const LOCK_EX_NB = 2 | 4;
const PF_EXITING = 0x4;
const deathPatienceMs = 500;
const lookAgainNs = 1_000_000;
const reservedBytes = 64 * 1024;
// A number of ten digits and its comma, in two lines, and as many again that come before the hold.
const bytesAnEntry = 44;

/** Whose journals they are, and where. */
export interface JournalOwner {
  readonly directory: string;
  readonly uid: number;
  readonly enginePid: number;
  /** Of each line, where others could read the file or write to it. */
  readonly seal?: Seal;
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
  readonly #seal: Seal | undefined;
  #offset = 0;
  #nextId = 1;
  #finished = false;

  constructor(path: string, fd: number, seal?: Seal) {
    this.path = path;
    this.#fd = fd;
    this.#seal = seal;
  }

  /** What it says now. */
  read(): JournalState | null {
    return readState(this.path, this.#seal);
  }

  /** Writes the first line and takes the room for all that follow. */
  begin(header: JournalHeader, { entries = 0, bytes = 0 }: Room = {}): void {
    const line = `${JSON.stringify({ header } satisfies Line)}\n`;
    const plainBytes = Buffer.byteLength(line) + reservedBytes + entries * bytesAnEntry + bytes;
    const reserved = syscall(
      arch.syscalls.fallocate,
      this.#fd,
      0,
      0,
      // Base64, and nonce and tag of each line.
      this.#seal === undefined ? plainBytes : 2 * plainBytes,
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
    const seal = this.#seal;
    const bytes = Buffer.from(seal === undefined ? line : `${seal.close(line, placeOf(this.path, this.#offset))}\n`);
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
    if (locked < 0 && isDying(readState(path, place.seal)?.header.enginePid) && performance.now() < deadlineMs) {
      closeSync(fd);
      sleep(lookAgainNs);
      continue;
    }
    if (locked < 0) {
      const holder = readState(path, place.seal)?.header.enginePid;
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
    return { journal: new Journal(path, fd, place.seal), left: readState(path, place.seal) };
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
