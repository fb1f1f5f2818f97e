// How long the new program is watched, and when that is enough: it listens where its predecessor did, it answers its probe, or its time is
// over. `planProbation` decides before anything is touched, `Settlement` looks while the program starts.
import type { RestartOptions } from '../protocol/request.ts';
import type { Probation } from '../protocol/result.ts';
import { pidsBelow } from './descendants.ts';
import { isOpenIn, type HeldListeners } from './handover/held-listeners.ts';
import { listListeners, socketsOf, type Listener } from './listeners.ts';
import { threadState } from '../tracer/thread-states.ts';
import type { ProbeAttempts } from './probe.ts';
import type { Observed } from './observe.ts';

export interface ProbationPlan {
  /** After the exec, ms. */
  readonly limitMs: number;
  /** `listening`: over as soon as there are as many listeners as before; `time`: only when its time is. */
  readonly until: 'listening' | 'time';
  /** What the new program is expected to listen on, as the old one did. */
  readonly listeners: readonly Listener[];
  /** The old one served somebody, and the new one is to go on with it: an exit is a failure. */
  readonly serves: boolean;
  /** An end is caught, and the previous program started again. */
  readonly catches: boolean;
}

const defaultLimitMs = 10_000;
/** Nothing says when a program is up that does not listen: one that is misconfigured mostly ends within this. */
const silentLimitMs = 1_000;
/** How long a child must have had the sockets to count as one that serves, and a program one that it has not called listen for. */
const trialMs = 250;
/** Sockets of nobody in the program's family count too (a daemon has other parents), and are looked for so often, ms. */
const lookEverywhereMs = 250;
/** How long a program that listens is watched on because its main thread never waits. */
const restLimitMs = 1_000;

type ProbationOptions = Pick<RestartOptions, 'probationMs' | 'probationLimitMs' | 'mayFinish' | 'probe' | 'rollback'>;

/** What the old program listens on, as far as that is expected of the new one too. */
export interface Served extends Pick<ProbationPlan, 'listeners'> {
  /** On whatever it was. */
  readonly listened: boolean;
}

/** Null: the new program is not watched. */
export function planProbation(
  { listeners, listened }: Served,
  { probationMs, probe, rollback, probationLimitMs = defaultLimitMs, mayFinish = false }: ProbationOptions,
  handsOver: boolean,
): ProbationPlan | null {
  if (probationMs === 0 && !handsOver) return null;
  const serves = listened && !mayFinish;
  // Somebody has to wait for the binds.
  if (probationMs === 0) return { limitMs: defaultLimitMs, until: 'listening', listeners, serves, catches: false };
  const waitsForSomething = listeners.length > 0 || probe !== null;
  return {
    limitMs: probationMs ?? (waitsForSomething ? probationLimitMs : silentLimitMs),
    until: probationMs === null && waitsForSomething ? 'listening' : 'time',
    listeners,
    serves,
    catches: rollback,
  };
}

/** The program and what it has started: a living thread of it, then the processes. */
export function familyOf({ tid, descendants }: Observed): readonly number[] {
  return [tid, ...descendants.filter((child) => !child.spared).map((child) => child.pid)];
}

export interface SettlementMeans {
  readonly startedMs: number;
  readonly listeners: HeldListeners;
  /** Null: nothing has to be answered. */
  readonly probe: ProbeAttempts | null;
}

/** Cheap enough to be asked at every stop: it looks only so often that looking takes a tenth of the time. */
export class Settlement {
  readonly #plan: ProbationPlan;
  readonly #pid: number;
  readonly #startedMs: number;
  readonly #listeners: HeldListeners;
  readonly #probe: ProbeAttempts | null;
  readonly #old: ReadonlySet<number>;
  #nextLookMs = 0;
  #nextLookEverywhereMs: number;
  #givenSinceMs: number | null = null;
  /** When all listeners were seen again, ms after the start; null: not yet. */
  listeningMs: number | null = null;

  constructor(pid: number, plan: ProbationPlan, { startedMs, listeners, probe }: SettlementMeans) {
    this.#probe = probe;
    this.#pid = pid;
    this.#plan = plan;
    this.#listeners = listeners;
    this.#startedMs = startedMs;
    this.#old = new Set(plan.listeners.map((listener) => listener.inode));
    this.#nextLookEverywhereMs = startedMs + lookEverywhereMs;
  }

  get deadlineMs(): number {
    return this.#startedMs + this.#plan.limitMs;
  }

  /** Whether system calls need to be seen: an exit is what a program does that cannot start. */
  isStarting(nowMs: number): boolean {
    if (this.#plan.listeners.length > 0) return this.listeningMs === null;
    return nowMs - this.#startedMs < silentLimitMs;
  }

  /** Null: it is still on probation. `silent`: its time is over, and it has not answered. */
  check(nowMs: number): Probation['end'] | 'silent' | null {
    this.#look(nowMs);
    const answered = this.#probe === null ? null : this.#probe.poll(nowMs) === 'answered';
    if (nowMs >= this.deadlineMs) return answered === false ? 'silent' : 'time';
    if (this.#plan.until === 'time' || answered === false) return null;
    if (answered === true) return 'answered';
    return this.listeningMs !== null && this.#isUp(nowMs, this.listeningMs) ? 'listening' : null;
  }

  /** A program that has put its server into the background listens, and is about to exit: one that is up waits for something. */
  #isUp(nowMs: number, listeningMs: number): boolean {
    return !'Rt'.includes(threadState(this.#pid, this.#pid)) || nowMs - this.#startedMs - listeningMs > restLimitMs;
  }

  #look(nowMs: number): void {
    if (this.#plan.listeners.length === 0 || this.listeningMs !== null) return;
    this.#listeners.takeAsListening(nowMs - trialMs);
    const areGiven = this.#notGiven().length === 0;
    // At once: every millisecond more is one in which the program is traced.
    const isNew = areGiven && this.#givenSinceMs === null;
    if (nowMs < this.#nextLookMs && !isNew) return;
    if (areGiven) {
      const sinceMs = (this.#givenSinceMs ??= performance.now());
      if (this.#isTaken(nowMs - sinceMs)) this.listeningMs = sinceMs - this.#startedMs;
    } else {
      this.#givenSinceMs = null;
      if (this.#mayListen(nowMs) && this.#listensAgain()) this.listeningMs = performance.now() - this.#startedMs;
    }
    const tookMs = performance.now() - nowMs;
    this.#nextLookMs = nowMs + Math.max(10, tookMs * 10);
  }

  /**
   * The program itself has the sockets; or others of it, for a while already: what only tries its configuration (nginx -t) listens too, and
   * ends. What nobody has any more is waited for again.
   */
  #isTaken(forMs: number): boolean {
    const handed = this.#listeners.listeners.filter(({ state }) => state === 'listening');
    if (handed.every(({ inode }) => isOpenIn([this.#pid], inode))) return true;
    const family = pidsBelow(this.#pid);
    for (const listener of handed) if (!isOpenIn(family, listener.inode)) listener.state = 'waiting';
    return forMs > trialMs && handed.every(({ state }) => state === 'listening');
  }

  /** What it does not listen on by a socket that it was given. */
  #notGiven(): readonly Listener[] {
    return this.#plan.listeners.filter(({ inode }) => this.#listeners.byInode(inode)?.state !== 'listening');
  }

  /** Tables of sockets take milliseconds to read, descriptors do not: a program that has none yet need not be looked up in them. */
  #mayListen(nowMs: number): boolean {
    if (nowMs >= this.#nextLookEverywhereMs) {
      this.#nextLookEverywhereMs = nowMs + lookEverywhereMs;
      return true;
    }
    return pidsBelow(this.#pid).some((pid) => [...socketsOf(pid).keys()].some((inode) => this.#isNew(inode)));
  }

  #isNew(inode: number): boolean {
    return !this.#old.has(inode) && this.#listeners.byInode(inode) === undefined;
  }

  /** With the sockets it was given, at the same addresses, or at as many others where the new program is configured so. */
  #listensAgain(): boolean {
    const expected = this.#notGiven();
    const now = listListeners(this.#pid).filter(({ inode }) => !this.#old.has(inode));
    const has = new Set(now.map(({ protocol, address }) => `${protocol} ${address}`));
    if (expected.every(({ protocol, address }) => has.has(`${protocol} ${address}`))) return true;
    // One that it was started with (0, 1 or 2) is not one that it has made.
    if (now.length < expected.length) return false;
    const own = socketsOf(this.#pid);
    return now.filter(({ inode }) => own.has(inode)).length >= expected.length;
  }
}
