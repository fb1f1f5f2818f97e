// What an engine tells while it works: one JSON line each on its standard output, the answer last.
// Nothing is written while the target is held; events queue until its threads run again.
import type { ErrorData } from '../errors.ts';
import type { History } from './history.ts';
import type { DueHook, HookResult } from './hook.ts';
import type { Inspection } from './inspection.ts';
import type { Plan } from './plan.ts';
import type { ProgramEnd, ProgramSummary, RestartResult } from './result.ts';

export const phases = [
  'observe',
  'plan',
  'upload',
  'hold',
  'prove',
  'swap',
  'reset',
  'release',
  'probation',
  'rollback',
  'drain',
  'verify',
  'mend',
] as const;
export type Phase = (typeof phases)[number];

export type HotexecEvent =
  /** A phase begins. atMs: since the engine started, with microseconds as fraction. */
  | { readonly kind: 'phase'; readonly phase: Phase; readonly atMs: number }
  /** What runs and what will, and in which process: told before the hold, so that a front to which no answer comes can still say it. */
  | {
      readonly kind: 'planned';
      readonly operationId: string;
      readonly before: ProgramSummary;
      readonly after: ProgramSummary;
      readonly pid: number;
      readonly startTicks: number;
    }
  /** A system call was made inside the target (`verbose` only). */
  | {
      readonly kind: 'remote-call';
      readonly tid: number;
      readonly call: string;
      readonly args: string;
      readonly result: string;
      readonly durationUs: number;
    }
  /** Files are being brought into the container: which one now, and how much of all of them is there. Some ten of these a second at most. */
  | { readonly kind: 'upload'; readonly path: string; readonly doneBytes: number; readonly totalBytes: number }
  /** The new program failed its probation; the previous one is started again. */
  | { readonly kind: 'failed'; readonly end: ProgramEnd }
  /** A hook of the container is to be run; whoever can runs it, and tells its end. */
  | ({ readonly kind: 'hook-due' } & DueHook)
  /** It has ended, or is not waited for any more. */
  | { readonly kind: 'hook-ended'; readonly number: number; readonly result: HookResult }
  /** Something the person should know that does not stop the restart. */
  | { readonly kind: 'warning'; readonly message: string }
  /** What a picture of the restart is drawn from, beside its phases (`timeline` only). atMs: as in `phase`. */
  | { readonly kind: 'timeline'; readonly atMs: number; readonly moment: Moment };

export type Moment =
  /** The time of day when atMs was 0, ms since 1970: by it what others have seen is put beside these events. */
  | { readonly what: 'clock'; readonly unixMs: number }
  /** A hold is over: all threads of the program had stood still for the last `ms`. */
  | { readonly what: 'held'; readonly threads: number; readonly ms: number }
  /** The program runs. waiting: connections that nobody has accepted yet, in all kept TCP listeners; null: none is kept. */
  | { readonly what: 'sample'; readonly threads: number; readonly waiting: number | null }
  /** The program has been told to finish. */
  | { readonly what: 'asked'; readonly signal: string }
  /** Its end was caught: `exit 0`, `SIGTERM`; or it was stopped, since its time was over (`forced`). */
  | { readonly what: 'caught'; readonly end: string }
  /** The bind of the program was answered with a kept socket. */
  | { readonly what: 'bound'; readonly address: string }
  /** It listens wherever its predecessor did. */
  | { readonly what: 'listening' };

export type EngineAnswer =
  | { readonly kind: 'restart-result'; readonly result: RestartResult }
  | { readonly kind: 'inspect-result'; readonly result: Inspection }
  | { readonly kind: 'plan-result'; readonly result: Plan }
  | { readonly kind: 'history-result'; readonly result: History }
  | { readonly kind: 'mend-result'; readonly result: MendResult }
  /** The engine could not answer: refused before anything was touched, or a bug. */
  | { readonly kind: 'failure'; readonly error: ErrorData };

export interface MendResult {
  /**
   * `nothing`: there was no journal. `old`/`new`: the program that now runs. `previous`: the new one had failed its probation, and the
   * previous one runs again. `gone`: the process has ended.
   */
  readonly found: 'nothing' | 'old' | 'new' | 'previous' | 'gone';
  readonly detail: string;
}

export type EngineLine = HotexecEvent | EngineAnswer;
