// The states of a process's threads, asked for again and again while they stand still. With a thousand threads most of a hold is this:
// so their files are opened before it, and a look at all of them is one pread each, made together.
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { Batch } from '../native/batch.ts';
import { allocate, mapMemory } from '../native/memory.ts';
import { syscall, type NativeMemory } from '../native/syscall.ts';

const RLIMIT_NOFILE = 7;
const mostFiles = 4096;
/** For threads that are born while we look. */
const sparePlaces = 64;
/** A tid of ten digits, a name of fifteen bytes (TASK_COMM_LEN) in parentheses, the letter; what may follow is no parenthesis. */
const headBytes = 40;
const noFile = -1;

const limit = allocate(16);

/** The files that are open; the one of the thread at an index is in the row of that index. */
interface Files {
  /** Where their heads are read to, headBytes each. */
  readonly heads: NativeMemory;
  /** What they hold when all have stopped. */
  readonly stopped: Buffer;
  readonly reads: Batch;
  readonly closes: Batch;
}

export class ThreadStates implements Disposable {
  readonly #pid: number;
  readonly #threads: number[] = [];
  #files: Files | null = null;
  /** Of how many it is known what a look finds when they have stopped. */
  #foreseen = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** All that were listed, those that are gone too. */
  get threads(): readonly number[] {
    return this.#threads;
  }

  /** Lists the threads, and opens the files of those that are new. False: none is. */
  list(): boolean {
    const known = new Set(this.#threads);
    const born = threadIds(this.#pid).filter((tid) => !known.has(tid));
    const files = (this.#files ??= noFiles(Math.min(mostFiles, born.length + sparePlaces, descriptorLimit() / 2)));
    for (const tid of born) {
      this.#threads.push(tid);
      this.#open(files, tid);
    }
    return born.length > 0;
  }

  /** For each of `threads` one letter of /proc/PID/task/TID/stat; X when it is gone. */
  look(): string[] {
    const all = this.#threads.length;
    this.read(0, all);
    const letters = this.letters(0, all);
    this.#foresee(letters);
    return letters;
  }

  /** Has a new look at those from one index up to another. */
  read(from: number, to: number): void {
    this.#files?.reads.run(from, Math.min(to, this.#files.reads.count));
  }

  /**
   * Whether the last look at these has found what was foreseen: they have changed in nothing but that they stand now. Costs nothing.
   * One that has ended after it stood counts as well.
   */
  areStopped(from: number, to: number): boolean {
    if (this.#files === null || to > this.#foreseen) return false;
    const [start, end] = [from * headBytes, to * headBytes];
    return this.#files.heads.bytes.subarray(start, end).equals(this.#files.stopped.subarray(start, end));
  }

  /** What the last look at these has found. */
  letters(from: number, to: number): string[] {
    if (this.#files === null) return [];
    const { reads, heads } = this.#files;
    const end = Math.min(to, reads.count);
    const text = from < end ? heads.bytes.toString('latin1', from * headBytes, end * headBytes) : '';
    return this.#threads.slice(from, to).map((tid, index) => {
      const length = from + index < end ? reads.result(from + index) : 0;
      // ESRCH: it has ended. Its number may be another thread's by now.
      return length > 0 ? letterIn(text, index * headBytes + length) : threadState(this.#pid, tid);
    });
  }

  /** What the next look finds when all have stopped. */
  #foresee(letters: readonly string[]): void {
    if (this.#files === null) return;
    const { heads, stopped, reads } = this.#files;
    heads.bytes.copy(stopped);
    this.#foreseen = Math.min(letters.length, reads.count);
    for (let index = 0; index < this.#foreseen; index++) {
      const row = stopped.subarray(index * headBytes, (index + 1) * headBytes);
      row.write('T', row.lastIndexOf(')') + 2, 'latin1');
    }
  }

  /** A thread without a file is looked at by its path, which takes five times as long. */
  #open({ heads, reads, closes }: Files, tid: number): void {
    if (reads.count === reads.capacity) return;
    const file = openStat(this.#pid, tid);
    const head = heads.address + BigInt(reads.count * headBytes);
    reads.add(arch.syscalls.pread64, file, head, headBytes, 0);
    closes.add(arch.syscalls.close, file);
  }

  [Symbol.dispose](): void {
    this.#files?.closes.run();
    this.#files = null;
    this.#foreseen = 0;
    this.#threads.length = 0;
  }
}

function noFiles(capacity: number): Files {
  const heads = mapMemory(capacity * headBytes);
  const stopped = Buffer.alloc(capacity * headBytes);
  return { heads, stopped, reads: new Batch(capacity), closes: new Batch(capacity) };
}

function openStat(pid: number, tid: number): number {
  try {
    return openSync(`/proc/${pid}/task/${tid}/stat`, 'r');
  } catch {
    return noFile;
  }
}

export function threadIds(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

/** One letter of /proc/PID/task/TID/stat; X when the thread is gone. */
export function threadState(pid: number, tid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
    // Behind the name, which may hold anything.
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    // It ended between the listing and the look.
    return 'X';
  }
}

/** Behind the name that ends before `end`. */
function letterIn(text: string, end: number): string {
  return text.charAt(text.lastIndexOf(')', end) + 2);
}

function descriptorLimit(): number {
  const answer = syscall(arch.syscalls.prlimit64, 0, RLIMIT_NOFILE, 0, limit.address);
  return answer < 0 ? 0 : Number(limit.view.getBigUint64(0, true));
}
