// Once a program is up, its system calls are not stopped any more: from then on its exit is caught by breakpoints, where they can be had.
import { ESRCH } from '../native/errno.ts';
import { isForbidden, mayBreak } from '../tracer/breakpoints.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { breakpointSignal, findExit, type ExitBreakpoints } from './exit-breakpoints.ts';

export class QuietExit implements Disposable {
  readonly #process: TracedProcess;
  #breakpoints: ExitBreakpoints | null = null;
  #state: 'not-begun' | 'on' | 'executed' = 'not-begun';
  /** An exit would not be seen: no breakpoint could be set. */
  blind = false;
  /** None can be set by this user, for any thread. */
  isForbidden = false;

  constructor(process: TracedProcess) {
    this.#process = process;
  }

  /** An execve of its own has taken the breakpoints away: what it runs now has to come up first. */
  get isOver(): boolean {
    return this.#state === 'executed';
  }

  /** The first time it is asked. */
  begin(): void {
    if (this.#state !== 'not-begun') return;
    this.#state = 'on';
    // Without the right to it (an agent in a pod) nothing is searched: that takes 10-30 ms, in which the program's stops wait for us.
    this.isForbidden = !mayBreak(this.#process.pid);
    if (this.isForbidden) return;
    this.#breakpoints = findExit(this.#process.pid);
    this.#process.eachThread({
      came: (tid) => {
        if (this.#state !== 'on') return;
        const answer = this.#breakpoints?.cover(tid) ?? -1;
        // One that has ended meanwhile ends nothing else.
        if (isForbidden(answer)) this.isForbidden = true;
        else if (answer < 0 && answer !== -ESRCH) this.blind = true;
      },
      left: (tid) => this.#breakpoints?.forget(tid),
      executed: () => {
        this.#state = 'executed';
        this[Symbol.dispose]();
      },
    });
  }

  /** The code of an exit that a thread is about to make; null: its signal is its own. */
  exitCode(tid: number, signal: number): number | null {
    return signal === breakpointSignal ? (this.#breakpoints?.exitCode(tid) ?? null) : null;
  }

  [Symbol.dispose](): void {
    this.#breakpoints?.[Symbol.dispose]();
    this.#breakpoints = null;
  }
}
