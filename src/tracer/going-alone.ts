// One thread of a traced process goes on while the others stand at the next stop that they come to: what it does in a few microseconds
// when it is not traced is done before they do anything, as it would be then.
import { readText } from '../procfs/read.ts';
import { parseStat, type ProcessStat } from '../procfs/stat.ts';

export interface AloneThread {
  readonly pid: number;
  readonly tid: number;
  /** Numbers of the system calls with which it has come far enough. */
  readonly until: ReadonlySet<number>;
}

/** How often it is looked whether it waits for something, ms. */
const lookEveryMs = 1;
/** What it may use of a CPU: 20 to 30 ms (USER_HZ). By then it does something large, or waits for another thread in a loop. */
const mostTicks = 3;
/** On a machine so busy that it does not get that, ms. */
const limitMs = 1_000;

export class GoingAlone {
  #thread: AloneThread | null = null;
  #beganTicks = 0;
  #endMs = 0;
  #nextLookMs = 0;
  /** The others that have come to a stop, and the signal that each is to go on with. */
  readonly #kept = new Map<number, number>();

  get isOn(): boolean {
    return this.#thread !== null;
  }

  begin(thread: AloneThread): void {
    this.#thread = thread;
    this.#beganTicks = statOf(thread)?.cpuTicks ?? 0;
    this.#nextLookMs = performance.now() + lookEveryMs;
    this.#endMs = performance.now() + limitMs;
  }

  /** A thread is to go on from its stop. True: it stays there until `end`. */
  keeps(tid: number, pid: number | undefined, signal: number): boolean {
    if (this.#thread === null || pid !== this.#thread.pid || tid === this.#thread.tid) return false;
    this.#kept.set(tid, signal);
    return true;
  }

  /** Until when a wait for stops may take; performance.now() ms. */
  waitUntil(deadlineMs: number): number {
    return this.#thread === null ? deadlineMs : Math.min(deadlineMs, this.#nextLookMs);
  }

  /** Asked after a wait. */
  isOver(): boolean {
    const nowMs = performance.now();
    if (this.#thread === null || nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + lookEveryMs;
    const stat = statOf(this.#thread);
    if (stat === undefined || nowMs > this.#endMs) return true;
    return (stat.state !== 'R' && stat.state !== 't') || stat.cpuTicks - this.#beganTicks >= mostTicks;
  }

  isFarEnough(tid: number, call: number): boolean {
    return tid === this.#thread?.tid && this.#thread.until.has(call);
  }

  /** The thread has ended. True: it was the one that went on. */
  ended(tid: number): boolean {
    this.#kept.delete(tid);
    return tid === this.#thread?.tid;
  }

  /** The process runs another program, in one thread. */
  executed(pid: number): void {
    if (pid === this.#thread?.pid) this.end();
  }

  /** Those that stand at a stop, each with its signal: from now on they are nobody's but the caller's. */
  end(): readonly (readonly [tid: number, signal: number])[] {
    const kept = [...this.#kept];
    this.#kept.clear();
    this.#thread = null;
    return kept;
  }
}

function statOf({ pid, tid }: AloneThread): ProcessStat | undefined {
  const stat = readText(`/proc/${pid}/task/${tid}/stat`);
  return stat.kind === 'read' ? parseStat(stat.content) : undefined;
}
