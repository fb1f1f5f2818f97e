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

/** By the clock, not by the sleep: a timer that fires late makes up for it, as clients that know nothing of each other would. */
async function keepGoing({ everyMs, limit, signal }: Load, over: AbortSignal, make: () => void): Promise<void> {
  const startedMs = performance.now();
  const either = AbortSignal.any([signal, over]);
  for (let made = 0; made < limit && !either.aborted;) {
    const due = Math.min(limit, Math.floor((performance.now() - startedMs) / everyMs) + 1);
    for (; made < due; made += 1) make();
    await sleep(Math.max(0, startedMs + made * everyMs - performance.now()), undefined, { signal: either }).catch(
      () => {}, // over: the loop sees it
    );
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
