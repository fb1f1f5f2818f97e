// What the events of a restart have told so far: all that is known of it where the answer does not come.
import type { ErrorData } from '../errors.ts';
import type { HotexecEvent, Phase } from '../protocol/event.ts';
import type { HookResult } from '../protocol/hook.ts';
import type { TargetProcess } from '../protocol/request.ts';
import type { Outcome, Probation, ProgramEnd, ProgramSummary, RestartResult } from '../protocol/result.ts';
import { unknownProgram } from './process-summary.ts';

export interface ToldResult {
  readonly operationId: string;
  readonly target: Pick<TargetProcess, 'name' | 'pid' | 'startTicks' | 'container'>;
  readonly outcome: Outcome;
  readonly error: ErrorData | null;
  /** What runs now; null: nothing does, or it cannot be seen from here. */
  readonly running: ProgramSummary | null;
  /** Null: as the outcome has it. */
  readonly probation: Probation | null;
  /** Beside those that were heard to end. */
  readonly hooks: readonly HookResult[];
  readonly warnings: readonly string[];
}

export class Story {
  /** The last one that has begun. */
  phase: Phase | null = null;
  planned: Extract<HotexecEvent, { readonly kind: 'planned' }> | null = null;
  /** How the new program ended in its probation. */
  failed: ProgramEnd | null = null;
  /** Those that have ended. */
  readonly hooks: HookResult[] = [];
  readonly #startedMs = performance.now();
  /** When the target was stopped; null: it runs. */
  #heldSinceMs: number | null = null;
  /** The longest hold that is over. */
  #heldMs = 0;
  readonly #warnings: string[] = [];

  note(event: HotexecEvent): void {
    switch (event.kind) {
      case 'phase':
        this.phase = event.phase;
        this.#notePhase(event.phase);
        return;
      case 'planned':
        this.planned = event;
        return;
      case 'warning':
        this.#warnings.push(event.message);
        return;
      case 'failed':
        this.failed = event.end;
        return;
      case 'hook-ended':
        this.hooks.push(event.result);
        return;
      case 'upload':
      case 'remote-call':
      case 'hook-due':
      case 'timeline':
    }
  }

  result({ operationId, target, outcome, error, running, probation, hooks, warnings }: ToldResult): RestartResult {
    const now = performance.now();
    const restarted = outcome === 'restarted';
    return {
      apiVersion: 'hotexec/v1',
      kind: 'Restart',
      operationId,
      outcome,
      target: target.name,
      pid: target.pid,
      startTicks: target.startTicks,
      container: target.container,
      before: this.planned?.before ?? (restarted ? null : running) ?? unknownProgram,
      after: restarted ? (running ?? this.planned?.after ?? unknownProgram) : null,
      listeners: [],
      drain: { signal: null, end: 'skipped', why: null, exitCode: null, endedBy: null, ms: 0 },
      hooks: [...this.hooks, ...hooks],
      children: { killed: 0 },
      files: [],
      probation: probation ?? this.#watched(outcome),
      failed: outcome === 'rolled-back' ? this.failed : null,
      notFresh: [],
      warnings: [...this.#warnings, ...warnings],
      timingsMs: {
        hold: round(Math.max(this.#heldMs, this.#heldSinceMs === null ? 0 : now - this.#heldSinceMs)),
        total: round(now - this.#startedMs),
      },
      error,
    };
  }

  #watched(outcome: Outcome): Probation {
    if (outcome === 'rolled-back') return { end: 'failed', ms: this.failed?.afterMs ?? 0 };
    return { end: outcome === 'restarted' ? 'cut-short' : 'none', ms: 0 };
  }

  /** The old program runs again to finish, and the new one to be watched; of a killed engine the target stands until it has been mended. */
  #notePhase(phase: Phase): void {
    if (phase === 'mend') return;
    if (whileHeld.has(phase)) {
      this.#heldSinceMs ??= performance.now();
    } else if (this.#heldSinceMs !== null) {
      this.#heldMs = Math.max(this.#heldMs, performance.now() - this.#heldSinceMs);
      this.#heldSinceMs = null;
    }
  }
}

const whileHeld: ReadonlySet<Phase> = new Set(['hold', 'prove', 'swap', 'reset', 'release']);

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
