// A restart as the front sees it: ask the engine, pass its events on, and if it dies without an answer, mend and say
// which of the two programs runs.
import { HotexecError, type ErrorData } from '../errors.ts';
import type { HotexecEvent, MendResult } from '../protocol/event.ts';
import type { Outcome, RestartResult } from '../protocol/result.ts';
import { describeHook } from '../protocol/hook.ts';
import { describeEnd } from '../protocol/program-end.ts';
import { gracePeriodOf } from '../protocol/stop-signal.ts';
import { deathError, describeDeath, type DeathDescription } from './death.ts';
import { DueHooks } from './due-hooks.ts';
import type { EngineDeath } from './engine.ts';
import { Guard } from './guard.ts';
import { mend } from './mend.ts';
import { summarizeProcess } from './process-summary.ts';
import { refuse, throwIfCancelled, type RequestOf, type Session } from './session.ts';
import { Story } from './story.ts';

// Past its own timeout an engine only finishes what it cannot undo, and lets go.
const finishTimeoutMs = 30_000;
// Without --probation: until it listens again, but no longer (docs/replacing.md).
const defaultProbationMs = 10_000;

/** Resolves with the result whatever the outcome; rejects when there is none, because nothing was begun. */
export async function askRestart(request: RequestOf<'restart'>, session: Session): Promise<RestartResult> {
  const { engine, signal, onEvent } = session;
  throwIfCancelled(signal);
  const story = new Story();
  using hooks = new DueHooks(engine, session.runHook);
  const guard = new Guard(request.target, session, (mended) => story.note(mended));
  const listen = (event: HotexecEvent): void => {
    story.note(event);
    guard.on(event);
    hooks.on(event);
    onEvent?.(event);
  };
  const answerWithinMs = longestMs(request);
  const reply = await engine.ask(request, { signal, onEvent: listen, answerWithinMs });
  if (reply.kind === 'died') return await settle(reply, { request, session, story, guard, hooks });
  guard.dismiss();
  return reply.kind === 'restart-result' ? reply.result : refuse(reply);
}

/**
 * Files are brought within the timeout; then the old program finishes, the new one is watched, and perhaps the previous one started and
 * watched in its turn. Somebody waits for the binds also where nothing is caught.
 */
export function longestMs(request: Pick<RequestOf<'restart'>, 'options' | 'target'>): number {
  const {
    timeoutMs,
    probationMs,
    probationLimitMs = defaultProbationMs,
    rollback,
    handover,
    runHooks,
  } = request.options;
  const hookMs = runHooks ? probationLimitMs : 0;
  const watchedMs = Math.max(probationMs ?? probationLimitMs, handover ? defaultProbationMs : 0, hookMs);
  const rollbackMs = rollback && probationMs !== 0 ? finishTimeoutMs + watchedMs : 0;
  return Math.min(timeoutMs + graceOf(request) + finishTimeoutMs + watchedMs + rollbackMs, longestTimerMs);
}

function graceOf({ options, target }: Pick<RequestOf<'restart'>, 'options' | 'target'>): number {
  return options.drain ? gracePeriodOf(target.spec, options) : 0;
}

// What setTimeout takes: with more it fires at once.
const longestTimerMs = 2 ** 31 - 1;

interface Interrupted {
  readonly request: RequestOf<'restart'>;
  readonly session: Session;
  readonly story: Story;
  readonly hooks: DueHooks;
}

async function settle(
  death: EngineDeath,
  interrupted: Interrupted & { readonly guard: Guard },
): Promise<RestartResult> {
  const { request, session, story, guard } = interrupted;
  const description = describeDeath(death);
  const guarded = await guard.mend();
  const mending =
    guarded?.kind === 'mended'
      ? guarded
      : await mend(request.target, {
          startEngine: session.startEngine,
          onEvent: (event) => story.note(event),
          graceMs: graceOf(request),
        });
  if (mending.kind === 'failed') {
    // It cannot even start here: no engine can, and none has been at the target.
    if (story.phase === null && description.code === 'bug') return refuse(death);
    throw unknown(description, mending.error);
  }
  const { outcome, error } = verdict(mending.result, description, story);
  return resultOf(outcome, error, interrupted);
}

function verdict({ found, detail }: MendResult, death: DeathDescription, story: Story): Verdict {
  switch (found) {
    case 'new':
      return { outcome: 'restarted', error: null };
    case 'previous': {
      const how = story.failed === null ? 'failed its probation' : describeEnd(story.failed);
      const message = `${death.what} Another one has finished its work: the new program ${how}, and the previous one runs again (${detail}).`;
      const hint = 'what the new program said is in its log';
      return {
        outcome: 'rolled-back',
        error: { code: 'new-program-failed', message, hint, details: death.details },
      };
    }
    case 'nothing':
      // Either nothing was begun, or all was done and only the answer is missing.
      if (story.phase === 'verify' && story.failed !== null)
        return verdict({ found: 'previous', detail: 'it was complete' }, death, story);
      if (story.phase === 'verify') return { outcome: 'restarted', error: null };
      return { outcome: 'unchanged', error: deathError(death, 'The program runs on, unchanged.') };
    case 'old': {
      const state = 'Another one has put back what it had begun; the program runs on, unchanged.';
      return { outcome: 'unchanged', error: deathError(death, state) };
    }
    case 'gone': {
      const message = `${death.what} The process has ended meanwhile: ${detail}`;
      return { outcome: 'lost', error: { code: 'target-lost', message, hint: null, details: death.details } };
    }
  }
}

interface Verdict {
  readonly outcome: Outcome;
  readonly error: ErrorData | null;
}

function unknown({ what }: DeathDescription, error: ErrorData): HotexecError {
  const message = `${what} It could not be found out or mended which program runs: ${error.message}`;
  const hint = 'Run `hotexec inspect` on the target: whatever hotexec does next on it mends first.';
  return new HotexecError({ code: 'outcome-unknown', message, hint, details: error.details ?? {} });
}

function resultOf(outcome: Outcome, error: ErrorData | null, { request, story, hooks }: Interrupted): RestartResult {
  const { target, operationId } = request;
  const running = outcome === 'lost' ? null : summarizeProcess(target.pid);
  const warnings = outcome === 'restarted' ? [takenOver] : [];
  const { runHooks, hooks: ofContainer = null } = request.options;
  const left = hooks.left(story.hooks, runHooks ? ofContainer : null, outcome === 'restarted');
  const unlike = [...story.hooks, ...left].filter(({ end }) => end !== 'succeeded').map(describeHook);
  return story.result({
    operationId,
    target,
    outcome,
    error,
    running,
    probation: null,
    hooks: left,
    warnings: [...warnings, ...unlike],
  });
}

const takenOver =
  'the engine was killed, and another one finished its work: the hold is at most as long as said, and what differs from a fresh start was not listed';
