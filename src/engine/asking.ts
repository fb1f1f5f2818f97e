// How the old program is asked to finish, and until when: its preStop hook first where there is one, then its stop signal, and at the end force.
import { arch } from '../arch/arch.ts';
import { EPERM } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';
import type { ProcessStatus } from '../procfs/status.ts';
import { signalBit, signalName } from '../tracer/signals.ts';
import type { SignalInfo } from '../tracer/ptrace/requests.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { askItself } from './ask-itself.ts';
import { innermostPid } from './descendants.ts';
import type { Asked } from './drain.ts';
import type { Watches } from './held.ts';
import { graceAfterHook, RunningHook } from './running-hook.ts';
import type { Work } from './work.ts';

interface Means {
  readonly process: TracedProcess;
  readonly tracing: Watches['tracing'];
  /** performance.now() */
  readonly startedMs: number;
}

export class Asking {
  readonly #work: Work;
  readonly #asked: Asked;
  readonly #means: Means;
  readonly #hook: RunningHook | null;
  #deadlineMs: number;
  #signalled = false;
  #asker: number | null = null;
  /** The signal has been sent, and not been seen yet. */
  #oursToCome = false;

  /** Begins: with the hook, or with the signal at once. */
  constructor(work: Work, asked: Asked, means: Means) {
    const { preStop, graceMs } = asked;
    this.#work = work;
    this.#asked = asked;
    this.#means = means;
    this.#deadlineMs = means.startedMs + graceMs;
    this.#hook =
      preStop === null
        ? null
        : new RunningHook(work, { hook: 'preStop', program: 'old', action: preStop, withinMs: graceMs });
    if (this.#hook === null) this.#signal();
  }

  /** As `SIGTERM`; null: none has been sent. */
  get sent(): string | null {
    const { signal } = this.#asked;
    return this.#signalled && signal !== null ? signalName(signal) : null;
  }

  /** Between two stops of the program. */
  isOver(nowMs: number): boolean {
    if (!this.#signalled) {
      if (this.#hook?.check(nowMs) === null) return false;
      const { graceMs, signal } = this.#asked;
      this.#deadlineMs = signal === null ? nowMs : nowMs + graceAfterHook(graceMs, nowMs - this.#means.startedMs);
      this.#signal();
    }
    return nowMs > this.#deadlineMs || this.#asked.signal === null;
  }

  /** The signal that was sent here, the first time it is seen. */
  takes(signal: number, info: SignalInfo): boolean {
    const isOurs = this.#isToCome(signal, info);
    if (isOurs) this.#oursToCome = false;
    return isOurs;
  }

  /** Neither ours, nor sent by who finishes the program from within its container: its preStop hook may do that by a signal. */
  isOfOthers(signal: number, info: SignalInfo): boolean {
    return !this.#isToCome(signal, info) && !(this.trustsInside && info.senderPid !== 0);
  }

  get trustsInside(): boolean {
    return this.#hook !== null;
  }

  /** The program has ended, or been stopped. */
  ended(): void {
    this.#hook?.leave('the old program ended');
  }

  #isToCome(signal: number, { senderPid }: SignalInfo): boolean {
    const isFromUs = this.#work.asked === true || senderPid === 0 || senderPid === this.#asker;
    return this.#oursToCome && signal === this.#asked.signal && isFromUs;
  }

  #signal(): void {
    const { host, observed, journal } = this.#work;
    const { process, tracing } = this.#means;
    const { signal } = this.#asked;
    this.#signalled = true;
    if (signal === null) return;
    const isAsked = this.#work.asked === true;
    if (!isAsked) journal.mark('asked');
    const isRefused = !isAsked && syscall(arch.syscalls.kill, observed.target.pid, signal) === -EPERM;
    if (isRefused) askItself(this.#work, process, { signal, tracing });
    this.#asker = innermostPid(isRefused ? observed.target.pid : host.journals.enginePid) ?? null;
    // The engine that asked may have been killed before the program has taken the signal.
    this.#oursToCome = !isAsked || isWaiting(observed.status, signal);
    host.moment({ what: 'asked', signal: signalName(signal) });
  }
}

function isWaiting({ sigPnd = 0n, shdPnd = 0n }: ProcessStatus, signal: number): boolean {
  return ((sigPnd | shdPnd) & signalBit(signal)) !== 0n;
}
