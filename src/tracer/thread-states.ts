// The states of a process's threads, asked for again and again while they stand still. With a thousand threads most of a hold is this:
// so their files are opened before it, and one pread is a look (2 us instead of 12, measured in a fresh engine).
import { closeSync, openSync, readFileSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';

const RLIMIT_NOFILE = 7;
const mostFiles = 4096;
const closingParenthesis = 0x29;

// A tid of ten digits, a name of fifteen bytes (TASK_COMM_LEN) in parentheses, the letter; what may follow is no parenthesis.
const head = allocate(40);
const limit = allocate(16);

export class ThreadStates implements Disposable {
  readonly #pid: number;
  readonly #files = new Map<number, number>();
  readonly #mostFiles: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#mostFiles = Math.min(mostFiles, descriptorLimit() / 2);
  }

  /** One letter of /proc/PID/task/TID/stat; X when the thread is gone. The first look keeps the file open. */
  of(tid: number): string {
    const file = this.#files.get(tid) ?? this.#open(tid);
    if (file === undefined) return threadState(this.#pid, tid);
    const length = syscall(arch.syscalls.pread64, file, head.address, head.bytes.length, 0);
    if (length > 0) return letterIn(head.bytes, length);
    // ESRCH: it has ended. Its number may be another thread's by now.
    this.#files.delete(tid);
    closeSync(file);
    return threadState(this.#pid, tid);
  }

  #open(tid: number): number | undefined {
    if (this.#files.size >= this.#mostFiles) return undefined;
    try {
      const file = openSync(`/proc/${this.#pid}/task/${tid}/stat`, 'r');
      this.#files.set(tid, file);
      return file;
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }
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

function letterIn(bytes: Buffer, length: number): string {
  let at = length - 1;
  while (at > 0 && bytes[at] !== closingParenthesis) at--;
  return String.fromCharCode(bytes[at + 2] ?? 0);
}

function descriptorLimit(): number {
  const answer = syscall(arch.syscalls.prlimit64, 0, RLIMIT_NOFILE, 0, limit.address);
  return answer < 0 ? 0 : Number(limit.view.getBigUint64(0, true));
}
