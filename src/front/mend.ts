// After an engine was killed in the middle: others are started until one has read the journal and mended the target.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import type { ErrorData } from '../errors.ts';
import type { EngineAnswer, HotexecEvent, MendResult } from '../protocol/event.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { describeDeath } from './death.ts';
import type { EngineDeath } from './engine.ts';
import type { StartEngine } from './launch.ts';

export type Mending =
  | { readonly kind: 'mended'; readonly result: MendResult }
  /** All attempts were in vain, or the target cannot be mended: what runs there is not known. */
  | { readonly kind: 'failed'; readonly error: ErrorData };

/** A mender tells what it found before it removes the journal; after that nobody else could. */
type OnEvent = (event: HotexecEvent) => void;

const attempts = 3;
const mendTimeoutMs = 30_000;
const busyRetryMs = 250;

export interface Mender {
  readonly startEngine: StartEngine;
  readonly onEvent: OnEvent;
  /** What is left of the time that the old program has to finish, ms. */
  readonly graceMs: number;
}

/** Call it after the dead engine's exit was seen: until then the kernel still counts it as the tracer. */
export async function mend(target: TargetProcess, mender: Mender): Promise<Mending> {
  let last: Mending = { kind: 'failed', error: { code: 'outcome-unknown', message: 'Nothing was tried.', hint: null } };
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    last = await tryToMend(target, mender);
    if (last.kind === 'mended') return last;
    // Another hotexec found the journal first and mends; it is asked again what came of it.
    if (last.error.code === 'target-busy') await sleep(busyRetryMs);
  }
  return last;
}

async function tryToMend(target: TargetProcess, { startEngine, onEvent, graceMs }: Mender): Promise<Mending> {
  const request = { kind: 'mend', operationId: randomUUID(), target } as const;
  return mendingOf(await startEngine().ask(request, { answerWithinMs: mendTimeoutMs + graceMs, onEvent }));
}

/** What the answer of an engine that was to mend means. */
export function mendingOf(reply: EngineAnswer | EngineDeath): Mending {
  switch (reply.kind) {
    case 'mend-result':
      return { kind: 'mended', result: reply.result };
    case 'failure':
      return gone(reply.error) ?? { kind: 'failed', error: reply.error };
    case 'died': {
      const { what, hint, details } = describeDeath(reply);
      return { kind: 'failed', error: { code: 'outcome-unknown', message: what, hint, details } };
    }
    case 'restart-result':
    case 'inspect-result':
    case 'plan-result':
    case 'history-result':
      throw new Error(`the engine answered another question: ${reply.kind}`);
  }
}

function gone({ code, message }: ErrorData): Mending | undefined {
  if (code !== 'target-lost' && code !== 'target-not-found') return undefined;
  return { kind: 'mended', result: { found: 'gone', detail: message } };
}
