// Waiting with an end: for a condition, never for a time alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { HotexecError } from '../errors.ts';

export interface Wait {
  /** For the sentence "… did not … within N s". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** The first value that is not null. */
export async function until<T>(look: () => Promise<T | null> | T | null, wait: Wait): Promise<T> {
  const endMs = performance.now() + wait.timeoutMs;
  for (;;) {
    wait.signal.throwIfAborted();
    const value = await look();
    if (value !== null) return value;
    if (performance.now() >= endMs) throw tooLate(wait);
    await sleep(wait.everyMs, undefined, { signal: wait.signal });
  }
}

function tooLate({ what, timeoutMs }: Wait): HotexecError {
  return new HotexecError({
    code: 'timeout',
    message: `${what} within ${timeoutMs / 1000} s. The demo has stopped its server and cleaned up.`,
    hint: '`hotexec doctor` tells what this machine allows',
  });
}
