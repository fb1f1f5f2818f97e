// What a restart has to tell, collected while it works. Nothing is written while the target is held: events queue in the host.
import { errorData, HotexecError, type ErrorData } from '../errors.ts';
import { GdbEnded } from '../gdb/errors.ts';
import type { MendResult } from '../protocol/event.ts';
import { describeHook, type HookResult } from '../protocol/hook.ts';
import { describeEnd, newProgramFailed } from '../protocol/program-end.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type {
  ChangedFile,
  Drain,
  ListenerResult,
  NotFresh,
  Outcome,
  Probation,
  ProgramEnd,
  ProgramSummary,
  RestartResult,
} from '../protocol/result.ts';
import type { RemoteCall } from '../remote/remote-thread.ts';
import { StopTimeout, TraceeGone } from '../tracer/errors.ts';
import { signalName } from '../tracer/signals.ts';
import type { ClearedChildren } from './children.ts';
import { holdTimeout } from './held.ts';
import { isAlive, survives } from './liveness.ts';
import type { RestartPlan } from './plan.ts';
import type { Verified } from './verify.ts';

/** What has come of the new program and its files. `undone`: it ran, and the files were put back. */
export type Came = 'stays' | 'undone' | 'never';

export class RestartReport {
  readonly #request: RestartRequest;
  readonly #startedMs = performance.now();
  readonly #warnings: string[] = [];
  readonly #notFresh: NotFresh[] = [];
  readonly #files: ChangedFile[] = [];
  readonly #hooks: HookResult[] = [];
  #hooksBegun = 0;
  readonly #timingsMs: Record<string, number> = {};
  #before: ProgramSummary = { exe: '', argv: [], cwd: '' };
  #planned: ProgramSummary | null = null;
  #pastNoReturn = false;
  #drain: Drain = { signal: null, end: 'skipped', why: null, exitCode: null, endedBy: null, ms: 0 };
  #listeners: readonly ListenerResult[] = [];
  #probation: Probation = { end: 'none', ms: 0 };
  /** How the new program ended, once the previous one is to be started. */
  #failed: ProgramEnd | null = null;
  #drainedMs = 0;
  #failedMs = 0;
  #killed = 0;
  #holdMs = 0;
  #failure: { readonly outcome: Outcome; readonly error: ErrorData } | null = null;

  constructor(request: RestartRequest) {
    this.#request = request;
  }

  planned(before: ProgramSummary, after: ProgramSummary, plan: RestartPlan): void {
    this.#before = before;
    this.#planned = after;
    this.warn(...plan.warnings);
    this.notFresh(...plan.notFresh);
    if (plan.drain.kind === 'skip') this.#drain = { ...this.#drain, why: plan.drain.why };
  }

  warn(...messages: readonly (string | null)[]): void {
    for (const message of messages) if (message !== null) this.#warnings.push(message);
  }

  notFresh(...entries: readonly NotFresh[]): void {
    const known = new Set(this.#notFresh.map((entry) => entry.attribute));
    this.#notFresh.push(...entries.filter((entry) => !known.has(entry.attribute)));
  }

  /** The number of a hook that begins. */
  nextHook(): number {
    this.#hooksBegun += 1;
    return this.#hooksBegun;
  }

  hook(result: HookResult): void {
    this.#hooks.push(result);
    if (result.end !== 'succeeded') this.warn(describeHook(result));
  }

  /** Milliseconds since the last mark are this step's. */
  timing(step: string, durationMs: number): void {
    this.#timingsMs[step] = round(durationMs);
  }

  hold(durationMs: number): void {
    this.#holdMs += durationMs;
  }

  pointOfNoReturn(): void {
    this.#pastNoReturn = true;
  }

  /** How the old program finished, or why it was not asked to. */
  drained(drain: Drain): void {
    this.#drain = { ...drain, ms: round(drain.ms) };
    this.timing('drain', drain.ms);
    if (drain.end === 'forced')
      this.warn(
        `the program did not end within ${Math.round(drain.ms)} ms of ${drain.signal}: it was replaced by force`,
      );
    this.#drainedMs = performance.now();
  }

  /** The new program runs. */
  swapped(): void {
    if (this.#drain.end !== 'skipped') this.timing('gap', performance.now() - this.#drainedMs);
  }

  /** The old program ended in its drain, where nothing could be caught. */
  lostInDrain({ exitCode, signal }: Pick<ProgramEnd, 'exitCode' | 'signal'>): void {
    const { name, pid } = this.#request.target;
    const how =
      signal === null ? (exitCode === null ? 'ended' : `exited with code ${exitCode}`) : `was killed by ${signal}`;
    const message = `${name}: while it finished, the old program ${how}, which could not be caught: process ${pid} is gone.`;
    this.#failure = {
      outcome: 'lost',
      error: { code: 'target-lost', message, hint: this.#endHint('start it again') },
    };
  }

  #endHint(next: string): string {
    return this.#request.target.container === null ? next : `its container has ended too; ${next}`;
  }

  listeners(...results: readonly ListenerResult[]): void {
    this.#listeners = results;
  }

  /** Of the new program alone: that the previous one is looked at as well is none of the result's business. */
  probation(end: Probation['end'], durationMs: number, listeningMs: number | null): void {
    if (this.#failed !== null) return;
    this.#probation = { end, ms: round(durationMs) };
    this.timing('probation', durationMs);
    if (listeningMs !== null) this.timing('toFirstListen', listeningMs);
  }

  /** The new program has failed: until the previous one runs, there is none to go back to. */
  rollingBack(end: ProgramEnd): void {
    this.#failed = { ...end, afterMs: round(end.afterMs) };
    this.#failedMs = performance.now();
    this.#pastNoReturn = false;
  }

  rolledBack(): void {
    if (this.#failed === null) throw new Error('nothing has failed');
    this.timing('rollback', performance.now() - this.#failedMs);
    this.#failure = { outcome: 'rolled-back', error: newProgramFailed(this.#request.target.name, this.#failed) };
  }

  /** By somebody else, in the probation. */
  stopped(signal: number, which: 'old' | 'new'): void {
    const message = `${this.#request.target.name}: somebody sent ${signalName(signal)} to the ${which} program (docker stop?). It was let go at once.`;
    this.#failure = { outcome: 'stopped', error: { code: 'stopped-by-other', message, hint: null } };
  }

  /** The program ended where nothing could be caught; nulls: nobody saw how. */
  lost({ exitCode, signal, afterMs }: Omit<ProgramEnd, 'reason'>): void {
    const which = this.#failed === null ? 'the new program' : 'the previous program, started again,';
    const how =
      signal === null ? (exitCode === null ? 'ended' : `exited with code ${exitCode}`) : `was killed by ${signal}`;
    const message = `${this.#request.target.name}: ${which} ${how} after ${round(afterMs)} ms, which could not be caught: process ${this.#request.target.pid} is gone.`;
    this.#failure = {
      outcome: 'lost',
      error: { code: 'target-lost', message, hint: this.#endHint('look at its logs') },
    };
  }

  children(cleared: ClearedChildren): void {
    this.#killed += cleared.killed;
    for (const child of cleared.left)
      this.warn(`child ${child.pid} (${child.comm}) of the old program did not end within 2 s (state ${child.state})`);
  }

  /** The new program stays, or was stopped by somebody who knew of no other. */
  get came(): Came {
    if (this.#failure === null || (this.#failure.outcome === 'stopped' && this.#pastNoReturn)) return 'stays';
    return this.#pastNoReturn || this.#failed !== null ? 'undone' : 'never';
  }

  /** Which program was started last. */
  get attempt(): 'new' | 'previous' {
    return this.#failed === null ? 'new' : 'previous';
  }

  /** As far as is known, one of the two programs runs, and is meant to go on. */
  get isRunning(): boolean {
    return this.#failure?.outcome !== 'lost' && this.#failure?.outcome !== 'stopped' && this.#probation.end !== 'ended';
  }

  /** `serves`: it was to go on. */
  verified({ exe, warnings }: Verified, serves: boolean): void {
    if (exe === null && serves) {
      this.lost({ exitCode: null, signal: null, afterMs: this.#probation.ms });
      return;
    }
    this.warn(...warnings);
    if (exe !== null && this.#planned !== null) this.#planned = { ...this.#planned, exe };
  }

  files(...changed: readonly ChangedFile[]): void {
    this.#files.push(...changed);
  }

  /** Errors before the point of no return leave the old program as it was: the scopes have put everything back. */
  failed(thrown: unknown): void {
    const cause = firstError(thrown);
    const { name, pid } = this.#request.target;
    if (this.#failed !== null && !this.#pastNoReturn) {
      this.#failure = rollbackFailed(name, describeEnd(this.#failed), cause);
    } else if (
      cause instanceof HotexecError &&
      cause.code === 'stopped-by-other' &&
      !(thrown instanceof SuppressedError)
    ) {
      // Before the exec in any case; after a drain the old program has been let go to its end.
      this.#failure = { outcome: 'stopped', error: cause.toData() };
    } else if (!this.#lives(cause)) {
      const how = cause instanceof TraceeGone ? `: ${cause.message}` : '';
      const message = `${name}: process ${pid} ended while it was ${this.#pastNoReturn ? 'being given the new program' : 'held'}${how}.`;
      this.#failure = {
        outcome: 'lost',
        error: { code: 'target-lost', message, hint: this.#endHint('look at its logs') },
      };
    } else if (this.#pastNoReturn || thrown instanceof SuppressedError || cause instanceof GdbEnded) {
      // Not in order, and the journal says what is missing: the end of this engine calls a mender.
      throw thrown;
    } else if (cause instanceof StopTimeout) {
      this.#failure = { outcome: 'unchanged', error: holdTimeout(name, cause.message).toData() };
    } else {
      this.#failure = { outcome: 'unchanged', error: errorData(cause) };
    }
  }

  /** gdb has ended, or was ended because it did not answer; what it left has been put in order since. */
  mended(gdb: GdbEnded, { found, detail }: MendResult): void {
    const { name, pid } = this.#request.target;
    if (found === 'gone') {
      const message = `${name}: process ${pid} ended while gdb held it: ${gdb.message}.`;
      this.#failure = { outcome: 'lost', error: { code: 'target-lost', message, hint: null } };
    } else if (found === 'new' || found === 'previous') {
      this.#pastNoReturn = true;
      this.warn(`${gdb.message}; hotexec has finished its work by itself: ${detail}`);
    } else {
      const message = `${name}: ${gdb.message}. What had been begun was put back; the program runs on, unchanged.`;
      const hint = 'try again, or without --driver gdb';
      this.#failure = { outcome: 'unchanged', error: { code: 'gdb-failed', message, hint } };
    }
  }

  /** A tracee that is gone, or memory that cannot be reached, mostly means that the process is dying. */
  #lives(cause: unknown): boolean {
    const { target } = this.#request;
    const suspicious =
      cause instanceof TraceeGone || (cause instanceof HotexecError && cause.code === 'remote-call-failed');
    return suspicious ? survives(target) : isAlive(target);
  }

  result(): RestartResult {
    const { request, target } = { request: this.#request, target: this.#request.target };
    const outcome = this.#failure?.outcome ?? 'restarted';
    return {
      apiVersion: 'hotexec/v1',
      kind: 'Restart',
      operationId: request.operationId,
      outcome,
      target: target.name,
      pid: target.pid,
      startTicks: target.startTicks,
      container: target.container,
      before: this.#before,
      after: outcome === 'restarted' ? this.#planned : outcome === 'rolled-back' ? this.#before : null,
      listeners: this.#listeners,
      drain: this.#drain,
      hooks: this.#hooks,
      children: { killed: this.#killed },
      files: outcome === 'restarted' ? this.#files : [],
      probation: this.#probation,
      failed: this.#failed,
      notFresh: outcome === 'restarted' ? this.#notFresh : [],
      warnings: this.#warnings,
      timingsMs: { ...this.#timingsMs, hold: round(this.#holdMs), total: round(performance.now() - this.#startedMs) },
      error: this.#failure?.error ?? null,
    };
  }
}

/** The new program ends as it would have: the container with it. */
function rollbackFailed(
  name: string,
  how: string,
  cause: unknown,
): { readonly outcome: Outcome; readonly error: ErrorData } {
  const { code, message } =
    cause instanceof TraceeGone
      ? { code: null, message: `it was killed meanwhile (${cause.message}).` }
      : errorData(cause);
  if (code === 'stopped-by-other') {
    const text = `${name}: the new program ${how}, and while the previous one was to be started again somebody stopped it. It was let go.`;
    return { outcome: 'stopped', error: { code, message: text, hint: null } };
  }
  const text = `${name}: the new program ${how}, and the previous one could not be started again: ${message} The process ends as it would have.`;
  return { outcome: 'lost', error: { code: 'target-lost', message: text, hint: 'start the container again' } };
}

/** A remote call as strace would print it. */
export function describeCall(call: RemoteCall): {
  readonly call: string;
  readonly args: string;
  readonly result: string;
} {
  const args = call.args.map((argument) =>
    BigInt(argument) > 0xffff_ffffn ? `0x${BigInt(argument).toString(16)}` : String(argument),
  );
  return {
    call: call.name,
    args: args.join(', '),
    result: call.result > 0xffff_ffff ? `0x${call.result.toString(16)}` : String(call.result),
  };
}

/** What went wrong first; failures of undoing hang on it. */
function firstError(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstError(thrown.suppressed) : thrown;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
