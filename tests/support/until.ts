// Waiting for a condition with a deadline; tests never sleep for a time.
import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  readonly timeoutMs?: number;
  /** Between two looks: longer where a look costs something. */
  readonly pauseMs?: number;
}

/** The first answer of `probe` that is neither undefined nor false. An error it throws counts as "not yet". */
export async function until<T>(
  what: string,
  probe: () => Promise<T | false | undefined> | T | false | undefined,
  patience: number | Patience = {},
): Promise<T> {
  const { timeoutMs = 15_000, pauseMs = 4 } = typeof patience === 'number' ? { timeoutMs: patience } : patience;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { answer, cause } = await attempt(probe);
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
    await delay(pauseMs);
  }
}

async function attempt<T>(probe: () => Promise<T> | T): Promise<{ answer?: T; cause?: unknown }> {
  try {
    return { answer: await probe() };
  } catch (cause) {
    return { cause };
  }
}
