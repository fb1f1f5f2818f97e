// A hook of the container that somebody else runs, waited for while the program is watched: the front is told that it is due, and tells its end.
import type { DueHook, HookResult } from '../protocol/hook.ts';
import type { PlannedHook } from '../protocol/plan.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { DrainPlan } from './drain.ts';
import type { Work } from './work.ts';

/** What a program has in any case between its preStop hook and force, ms (minimumGracePeriodInSeconds, pkg/kubelet/kuberuntime). */
const leastGraceMs = 2_000;

/** Of the grace period, after a preStop hook that took `hookMs`: the kubelet's countdown begins before the hook. */
export function graceAfterHook(graceMs: number, hookMs: number): number {
  return Math.max(graceMs - hookMs, leastGraceMs);
}

type HookOptions = Pick<RestartOptions, 'runHooks' | 'hooks' | 'probationMs' | 'probationLimitMs'>;

const defaultLimitMs = 10_000;

/** What will be run, and for how long at most. Pure. */
export function plannedHooks(drain: DrainPlan, options: HookOptions): readonly PlannedHook[] {
  const { runHooks, hooks, probationMs, probationLimitMs = defaultLimitMs } = options;
  const postStart = runHooks ? (hooks?.postStart ?? null) : null;
  // As long as a fresh container may take to start: the kubelet itself has no limit for it.
  const limitMs = Math.max(probationMs ?? 0, probationLimitMs);
  return [
    ...(drain.kind === 'ask' && drain.preStop !== null
      ? [{ hook: 'preStop' as const, action: drain.preStop, withinMs: drain.graceMs }]
      : []),
    ...(postStart === null ? [] : [{ hook: 'postStart' as const, action: postStart.kind, withinMs: limitMs }]),
  ];
}

/** A preStop hook that there is, and that will not be run; null: there is none, or it will be. Pure. */
export function skippedPreStop(drain: DrainPlan, { runHooks, hooks }: HookOptions): HookResult | null {
  const action = runHooks ? (hooks?.preStop ?? null) : null;
  if (action === null || (drain.kind === 'ask' && drain.preStop !== null)) return null;
  const why = drain.kind === 'skip' ? `the old program is not asked to finish (${drain.why})` : 'the grace period is 0';
  return {
    hook: 'preStop',
    program: 'old',
    action: action.kind,
    end: 'not-run',
    exitCode: null,
    why: `is not run: ${why}`,
    ms: 0,
  };
}

/** Begins; null: there is none. */
export function runPostStart(work: Work): RunningHook | null {
  const due = plannedHooks(work.plan.drain, work.request.options).find(({ hook }) => hook === 'postStart');
  return due === undefined ? null : new RunningHook(work, { ...due, program: work.report.attempt });
}

type Beginning = Omit<DueHook, 'number'>;

export class RunningHook {
  readonly #work: Pick<Work, 'host' | 'report'>;
  readonly #due: DueHook;
  readonly #startedMs = performance.now();
  #result: HookResult | null = null;

  constructor(work: Pick<Work, 'host' | 'report'>, beginning: Beginning) {
    this.#work = work;
    this.#due = { number: work.report.nextHook(), ...beginning };
    work.host.emit({ kind: 'hook-due', ...this.#due });
  }

  /** Null: it runs, and has time. */
  check(nowMs: number): HookResult | null {
    if (this.#result !== null) return this.#result;
    const end = this.#work.host.hookEnd(this.#due.number);
    if (end !== null) return this.#over(end, nowMs);
    const { withinMs } = this.#due;
    if (nowMs - this.#startedMs <= withinMs) return null;
    return this.#over(unfinished(`has not ended within ${withinMs / 1000} s, and is not waited for any more`), nowMs);
  }

  /** It is not waited for. `why` completes "the preStop hook had not ended when ...". */
  leave(why: string): void {
    const nowMs = performance.now();
    if (this.check(nowMs) === null) this.#over(unfinished(`had not ended when ${why}, and is not waited for`), nowMs);
  }

  /** It is over, and has not done what it was to do. */
  get hasFailed(): boolean {
    return this.#result !== null && this.#result.end !== 'succeeded';
  }

  #over(end: Pick<HookResult, 'end' | 'exitCode' | 'why'>, nowMs: number): HookResult {
    const { number, hook, program, action } = this.#due;
    const ms = Math.round((nowMs - this.#startedMs) * 1000) / 1000;
    const { host, report } = this.#work;
    this.#result = { hook, program, action, ...end, ms };
    report.hook(this.#result);
    host.emit({ kind: 'hook-ended', number, result: this.#result });
    return this.#result;
  }
}

function unfinished(why: string): Pick<HookResult, 'end' | 'exitCode' | 'why'> {
  return { end: 'unfinished', exitCode: null, why };
}
