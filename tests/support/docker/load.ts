// A bounded client: a few connections at a time, a few hundred requests a second, on this machine only.
import { setTimeout as delay } from 'node:timers/promises';

export interface Load extends AsyncDisposable {
  readonly answered: number;
  readonly failed: number;
}

const connections = 4;
const pauseMs = 10;

/** Asks until its scope ends; a failure between the old program and the new one is counted and no more. */
export function startLoad(ask: () => Promise<unknown>): Load {
  const stop = new AbortController();
  const counts = { answered: 0, failed: 0 };
  const askOn = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await ask().then(
        () => counts.answered++,
        () => counts.failed++,
      );
      await delay(pauseMs);
    }
  };
  const asking = Array.from({ length: connections }, askOn);
  return {
    get answered() {
      return counts.answered;
    },
    get failed() {
      return counts.failed;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(asking);
    },
  };
}
