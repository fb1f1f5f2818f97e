// The pods of a workload as they are now, from an API server that may be away for a while.
import { HotexecError } from '../errors.ts';
import type { RolloutPod } from './pod.ts';
import type { Means } from './roll-out.ts';

export type Listing =
  | { readonly kind: 'listed'; readonly pods: readonly RolloutPod[] }
  | { readonly kind: 'failed'; readonly error: unknown };

export const lookEveryMs = 500;
const unreachableForMs = 60_000;

/** A server that goes away may come back: it is asked for a minute. Whoever wants out does not wait for it. */
export async function listPatiently({
  listPods,
  clock,
  signal,
}: Pick<Means, 'listPods' | 'clock' | 'signal'>): Promise<Listing> {
  const deadlineMs = clock.nowMs() + unreachableForMs;
  for (;;) {
    try {
      return { kind: 'listed', pods: await listPods() };
    } catch (error) {
      const mayCome = error instanceof HotexecError && error.code === 'runtime-unreachable';
      if (!mayCome || signal.aborted || clock.nowMs() > deadlineMs) return { kind: 'failed', error };
      await clock.wait(lookEveryMs, signal);
    }
  }
}
