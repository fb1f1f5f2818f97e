// What is said of lifecycle hooks, checked at the edge: by an engine, and to the agent. As engine-line.ts.
import * as v from 'valibot';
import type { HotexecEvent } from '../protocol/event.ts';
import type { HookEnd, HookResult } from '../protocol/hook.ts';
import type { PlannedHook } from '../protocol/plan.ts';

type Schema<Output> = v.GenericSchema<unknown, Output>;

const textOrNull: Schema<string | null> = v.nullable(v.string());
const hookName = v.picklist(['preStop', 'postStart']);
const hookAction = v.picklist(['exec', 'httpGet', 'sleep']);
const hookProgram = v.picklist(['old', 'new', 'previous']);
const hookEnds = ['succeeded', 'failed', 'unknown'] as const;

export const hookResult: Schema<HookResult> = v.object({
  hook: hookName,
  program: hookProgram,
  action: hookAction,
  end: v.picklist([...hookEnds, 'unfinished', 'not-run']),
  exitCode: v.nullable(v.number()),
  why: textOrNull,
  ms: v.number(),
});

/** What a client tells the agent. */
export const hookEnd: Schema<HookEnd> = v.object({
  end: v.picklist(hookEnds),
  exitCode: v.nullable(v.number()),
  why: textOrNull,
});

export const dueHook: Schema<Extract<HotexecEvent, { readonly kind: 'hook-due' }>> = v.object({
  kind: v.literal('hook-due'),
  number: v.number(),
  hook: hookName,
  program: hookProgram,
  action: hookAction,
  withinMs: v.number(),
});

export const hookEnded: Schema<Extract<HotexecEvent, { readonly kind: 'hook-ended' }>> = v.object({
  kind: v.literal('hook-ended'),
  number: v.number(),
  result: hookResult,
});

export const plannedHooks: Schema<readonly PlannedHook[]> = v.array(
  v.object({ hook: hookName, action: hookAction, withinMs: v.number() }),
);
