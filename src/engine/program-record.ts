// The record of programs around one restart: which version is gone back to, what is written before the exec and after it, and which kept
// files no version needs any more.
import { openHistory, type ProgramHistory, type Start, type Written } from '../history/history.ts';
import { programBytes, type ProgramBytes } from '../history/entry.ts';
import type { ResolvedVersion } from '../history/resolve.ts';
import { keptFilesOf, readRun } from '../history/run.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type { RestartResult } from '../protocol/result.ts';
import { removeKept } from './files/remove-kept.ts';
import type { Host } from './host.ts';
import type { Observed } from './observe.ts';
import type { Came } from './report.ts';
import { runningOf } from './running.ts';

interface RecordUse {
  readonly warn: (message: string) => void;
  readonly readOnly: boolean;
}

export class ProgramRecord {
  readonly #history: ProgramHistory;
  readonly #observed: Observed;
  readonly #warn: (message: string) => void;
  #begun = false;

  /** `readOnly`: nothing is moved or written. */
  constructor(observed: Observed, { history }: Pick<Host, 'history'>, { warn, readOnly }: RecordUse) {
    const { target, tid } = observed;
    this.#observed = observed;
    this.#warn = warn;
    this.#history = openHistory(history, target, {
      readOnly,
      running: runningOf(observed),
      isThere: keptFilesOf(tid),
    });
    for (const message of this.#history.warnings) warn(message);
  }

  /** What a request goes back to; null: to nothing. Throws no-such-version, version-unavailable. */
  resolve({ program: { version } }: Pick<RestartRequest, 'program'>): ResolvedVersion | null {
    return version === null ? null : this.#history.resolve(version);
  }

  /** The program that runs, where hotexec has started it; null: it has not. */
  get known(): ProgramBytes | null {
    const { started } = this.#history;
    return started?.kind === 'known' ? programBytes(started) : null;
  }

  /** Before the exec. */
  begin({ program, ...start }: Start): void {
    const cwd = program.cwd ?? this.#observed.program.cwd;
    this.#begun = true;
    this.#note(this.#history.begin({ ...start, program: { ...program, cwd } }));
  }

  /** When it is known what runs. `came`: what of the new program there is. */
  settle(came: Came, { outcome, failed }: Pick<RestartResult, 'outcome' | 'failed'>): void {
    if (!this.#begun) return;
    const run = readRun(this.#observed.target.pid);
    if (came === 'stays') this.#note(this.#history.settle({ kind: 'running', run }));
    else if (came === 'never') this.#note(this.#history.settle({ kind: 'unchanged' }));
    else if (outcome === 'rolled-back') this.#note(this.#history.settle({ kind: 'failed', end: failed, run }));
    else this.#note(this.#history.settle({ kind: 'ended', end: failed }));
  }

  #note({ warnings, unneeded }: Written): void {
    for (const message of warnings) this.#warn(message);
    if (unneeded.length > 0) removeKept(this.#observed.target.pid, unneeded);
  }
}
