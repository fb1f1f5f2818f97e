// What the front half needs of its caller for one request, and the questions that touch nothing: inspect, plan and history.
import { HotexecError } from '../errors.ts';
import type { EngineAnswer, HotexecEvent } from '../protocol/event.ts';
import type { RunHook } from '../protocol/hook.ts';
import type { History } from '../protocol/history.ts';
import type { Inspection } from '../protocol/inspection.ts';
import type { Plan } from '../protocol/plan.ts';
import type { EngineRequest } from '../protocol/request.ts';
import { deathError, describeDeath } from './death.ts';
import type { Engine, EngineDeath } from './engine.ts';
import type { StartEngine } from './launch.ts';

export interface Session {
  /** The engine that will be asked; started early, while the request was still being made. */
  readonly engine: Engine;
  /** Another one, for mending after the first was killed. */
  readonly startEngine: StartEngine;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: HotexecEvent) => void) | undefined;
  /** Missing: there is nobody who could. */
  readonly runHook?: RunHook | undefined;
}

export type RequestOf<Kind extends EngineRequest['kind']> = Extract<EngineRequest, { readonly kind: Kind }>;

// These only read; a target with a thousand threads and ten thousand descriptors takes a second.
const lookTimeoutMs = 60_000;

export async function askInspection(request: RequestOf<'inspect'>, session: Session): Promise<Inspection> {
  const reply = await look(request, session);
  return reply.kind === 'inspect-result' ? reply.result : refuse(reply);
}

export async function askPlan(request: RequestOf<'plan'>, session: Session): Promise<Plan> {
  const reply = await look(request, session);
  return reply.kind === 'plan-result' ? reply.result : refuse(reply);
}

export async function askHistory(request: RequestOf<'history'>, session: Session): Promise<History> {
  const reply = await look(request, session);
  return reply.kind === 'history-result' ? reply.result : refuse(reply);
}

async function look(request: EngineRequest, { engine, signal, onEvent }: Session): Promise<EngineAnswer | EngineDeath> {
  throwIfCancelled(signal);
  return engine.ask(request, { signal, onEvent, answerWithinMs: lookTimeoutMs });
}

/** Before an engine was asked: nothing has been touched. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new HotexecError(
    { code: 'cancelled', message: 'Cancelled before anything was touched.', hint: null },
    { cause: signal.reason },
  );
}

/** The error that a reply is which carries no result. */
export function refuse(reply: EngineAnswer | EngineDeath): never {
  if (reply.kind === 'failure') throw new HotexecError(reply.error);
  if (reply.kind === 'died') throw new HotexecError(deathError(describeDeath(reply), 'Nothing was touched.'));
  throw new Error(`the engine answered another question: ${reply.kind}`);
}
