// The hooks that an engine says are due, run one after another by whoever can, and their ends told to it.
import type { HotexecEvent } from '../protocol/event.ts';
import type { DueHook, HookResult, Hooks, RunHook } from '../protocol/hook.ts';
import type { Engine } from './engine.ts';

export class DueHooks implements Disposable {
  readonly #engine: Pick<Engine, 'control'>;
  readonly #run: RunHook | undefined;
  readonly #over = new AbortController();
  readonly #due = new Map<number, DueHook>();

  constructor(engine: Pick<Engine, 'control'>, run: RunHook | undefined) {
    this.#engine = engine;
    this.#run = run;
  }

  on(event: HotexecEvent): void {
    if (event.kind === 'hook-due') void this.#begin(event);
    if (event.kind === 'hook-ended') this.#due.delete(event.number);
  }

  /** Of an engine that was killed: what it would have waited for, and what was not begun. `ended`: those that were over before. */
  left(ended: readonly HookResult[], hooks: Hooks | null, restarted: boolean): readonly HookResult[] {
    const left = [...this.#due.values()].map((due): HookResult => lost(due));
    const { postStart } = hooks ?? { postStart: null };
    const isMissing = restarted && postStart !== null && ![...ended, ...left].some(isPostStart);
    return [
      ...left,
      ...(isMissing
        ? [{ hook: 'postStart', program: 'new', action: postStart.kind, ...notRun } satisfies HookResult]
        : []),
    ];
  }

  /** Nobody waits for one any more. */
  [Symbol.dispose](): void {
    this.#over.abort();
  }

  async #begin(due: DueHook): Promise<void> {
    this.#due.set(due.number, due);
    const nobody = { end: 'failed', exitCode: null, why: 'could not be run: there is nobody here to do it' } as const;
    const end = (await this.#run?.(due, this.#over.signal)) ?? nobody;
    this.#engine.control({ kind: 'hook-ended', number: due.number, end });
  }
}

function isPostStart({ hook }: Pick<HookResult, 'hook'>): boolean {
  return hook === 'postStart';
}

function lost({ hook, program, action }: DueHook): HookResult {
  const why = 'had been begun when the engine was killed: its end was not waited for';
  return { hook, program, action, end: 'unknown', exitCode: null, why, ms: 0 };
}

const notRun = {
  end: 'not-run',
  exitCode: null,
  why: 'was not run: the engine had been killed',
  ms: 0,
} as const;
