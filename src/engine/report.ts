// What a restart has to tell, collected while it works. Nothing is written while the target is held: events queue in the host.
import { errorData, HotexecError, type ErrorData } from '../errors.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type { ChangedFile, NotFresh, Outcome, ProgramSummary, RestartResult } from '../protocol/result.ts';
import type { RemoteCall } from '../remote/remote-thread.ts';
import { StopTimeout, TraceeGone } from '../tracer/errors.ts';
import type { ClearedChildren } from './children.ts';
import { holdTimeout } from './held.ts';
import { isAlive, survives } from './liveness.ts';
import type { Verified } from './verify.ts';

export class RestartReport {
  readonly #request: RestartRequest;
  readonly #startedMs = performance.now();
  readonly #warnings: string[] = [];
  readonly #notFresh: NotFresh[] = [];
  readonly #files: ChangedFile[] = [];
  readonly #timingsMs: Record<string, number> = {};
  #before: ProgramSummary = { exe: '', argv: [], cwd: '' };
  #planned: ProgramSummary | null = null;
  #pastNoReturn = false;
  #killed = 0;
  #holdMs = 0;
  #failure: { readonly outcome: Outcome; readonly error: ErrorData } | null = null;

  constructor(request: RestartRequest) {
    this.#request = request;
  }

  programs(before: ProgramSummary, after: ProgramSummary): void {
    this.#before = before;
    this.#planned = after;
  }

  warn(...messages: readonly (string | null)[]): void {
    for (const message of messages) if (message !== null) this.#warnings.push(message);
  }

  notFresh(...entries: readonly NotFresh[]): void {
    const known = new Set(this.#notFresh.map((entry) => entry.attribute));
    this.#notFresh.push(...entries.filter((entry) => !known.has(entry.attribute)));
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

  children(cleared: ClearedChildren): void {
    this.#killed += cleared.killed;
    for (const child of cleared.left)
      this.warn(`child ${child.pid} (${child.comm}) of the old program did not end within 2 s (state ${child.state})`);
  }

  verified({ exe, warnings }: Verified): void {
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
    if (!this.#lives(cause)) {
      const how = cause instanceof TraceeGone ? `: ${cause.message}` : '';
      const message = `${name}: process ${pid} ended while it was ${this.#pastNoReturn ? 'being given the new program' : 'held'}${how}.`;
      this.#failure = {
        outcome: 'lost',
        error: { code: 'target-lost', message, hint: 'its container has ended too; look at its logs' },
      };
    } else if (this.#pastNoReturn || thrown instanceof SuppressedError) {
      // Not in order, and the journal says what is missing: the end of this engine calls a mender.
      throw thrown;
    } else if (cause instanceof HotexecError && cause.code === 'stopped-by-other') {
      this.#failure = { outcome: 'stopped', error: cause.toData() };
    } else if (cause instanceof StopTimeout) {
      this.#failure = { outcome: 'unchanged', error: holdTimeout(name, cause.message).toData() };
    } else {
      this.#failure = { outcome: 'unchanged', error: errorData(cause) };
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
      after: outcome === 'restarted' ? this.#planned : null,
      listeners: [],
      children: { killed: this.#killed },
      files: outcome === 'restarted' ? this.#files : [],
      probation: { end: 'none', ms: 0 },
      failed: null,
      notFresh: outcome === 'restarted' ? this.#notFresh : [],
      warnings: this.#warnings,
      timingsMs: { ...this.#timingsMs, hold: round(this.#holdMs), total: round(performance.now() - this.#startedMs) },
      error: this.#failure?.error ?? null,
    };
  }
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
