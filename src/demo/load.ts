// The load of the demo: a new connection every few milliseconds, whatever became of the ones before, as many clients would make them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { TimelineRequest } from '../front/timeline.ts';
import { ask, type ServerAnswer } from './ask.ts';

export interface Load {
  readonly port: number;
  readonly everyMs: number;
  /** At most so many. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Requests of a load, in the order in which they were made. */
export interface Requests {
  /** Times of day, ms since 1970. */
  readonly requests: readonly TimelineRequest[];
  /** In the order in which each first answered. */
  readonly instances: readonly string[];
  /** The answer that came last. */
  readonly last: ServerAnswer | null;
}

export interface RunningLoad extends Disposable {
  /** Answers so far; grows. */
  readonly answers: readonly ServerAnswer[];
  /** No new ones; resolves when those under way have ended. */
  readonly stop: () => Promise<Requests>;
}

/** How long the server works for each, in turn: most are quick, some are under way when the program is told to finish. */
const workMs = [4, 9, 6, 25, 5, 12, 4, 80, 7, 15] as const;

export function startLoad(load: Load): RunningLoad {
  const over = new AbortController();
  const answers: ServerAnswer[] = [];
  const sent: Promise<TimelineRequest>[] = [];
  const instances: string[] = [];
  const makeOne = async (): Promise<TimelineRequest> => {
    const startMs = now();
    const { end, answer } = await ask({ port: load.port, workMs: workMs[sent.length % workMs.length] ?? 0 });
    if (answer === null) return { startMs, endMs: now(), end, by: null };
    answers.push(answer);
    if (!instances.includes(answer.instance)) instances.push(answer.instance);
    return { startMs, endMs: now(), end, by: instances.indexOf(answer.instance) };
  };
  const running = keepGoing(load, over.signal, () => sent.push(makeOne()));
  return {
    answers,
    stop: async () => {
      over.abort();
      await running;
      return { requests: await Promise.all(sent), instances, last: answers.at(-1) ?? null };
    },
    [Symbol.dispose]: () => over.abort(),
  };
}

/** So many at once at most: on a machine that is busy with other things the clients must not be what keeps it busy. */
const burst = 3;

/** By the clock, not by the sleep: a timer that fires late makes up for it, as clients that know nothing of each other would. */
async function keepGoing({ everyMs, limit, signal }: Load, over: AbortSignal, make: () => void): Promise<void> {
  const either = AbortSignal.any([signal, over]);
  let nextMs = performance.now();
  for (let made = 0; made < limit && !either.aborted;) {
    const due = Math.min(limit - made, burst, Math.floor((performance.now() - nextMs) / everyMs) + 1);
    for (let index = 0; index < due; index += 1) make();
    made += Math.max(0, due);
    nextMs = Math.max(nextMs + Math.max(0, due) * everyMs, performance.now() - everyMs);
    // Its end is seen by the loop.
    await sleep(Math.max(0, nextMs - performance.now()), undefined, { signal: either }).catch(() => {});
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
