// When a pod counts as available again after its program was exchanged. Pure. minReadySeconds counts from the exec: the pod itself has been
// Ready all the time, as the API has it.
import type { RolloutPod } from './pod.ts';

export interface Settling {
  readonly before: RolloutPod;
  /** As it is now; null: it is not there any more. */
  readonly now: RolloutPod | null;
  /** Since the new program was started, ms. */
  readonly sinceExecMs: number;
  readonly minReadyMs: number;
  /** Its Ready may be what the old program was, for as long after the exec; ms. */
  readonly staleForMs: number;
  /** How long it may take to be ready; ms after the exec. */
  readonly readyWithinMs: number;
}

export type Settled = 'available' | 'gone' | 'wait' | { readonly failed: string };

export function settled({ before, now, sinceExecMs, minReadyMs, staleForMs, readyWithinMs }: Settling): Settled {
  if (now === null || now.uid !== before.uid || now.state === 'deleting') return 'gone';
  if (now.restarts > before.restarts)
    return { failed: "the kubelet has restarted its container meanwhile: what runs is the image's program" };
  if (now.state === 'stopped') return { failed: 'its container does not run any more' };
  const isDue = sinceExecMs >= Math.max(minReadyMs, staleForMs);
  if (now.ready) return isDue ? 'available' : 'wait';
  if (sinceExecMs < Math.max(readyWithinMs, minReadyMs)) return 'wait';
  return { failed: `it is not ready ${Math.round(sinceExecMs / 1000)} s after its restart` };
}

/** Whether a pod that was available has become worse since; null: it has not. A pod that is deleted is nobody's fault. */
export function regression(before: RolloutPod, now: RolloutPod | undefined): string | null {
  if (now === undefined || now.uid !== before.uid || now.state === 'deleting') return null;
  if (now.restarts > before.restarts) return 'was restarted, and its container has ended since';
  return now.ready || !before.ready ? null : 'was restarted, and is not ready any more';
}
