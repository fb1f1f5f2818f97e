// Pods as a rollout looks at them.
import type { RolloutPod } from '../../../src/rollout/pod.ts';

export function rolloutPod(name: string, more: Partial<RolloutPod> = {}): RolloutPod {
  return {
    name,
    uid: `uid-of-${name}`,
    state: 'running',
    ready: true,
    createdMs: 0,
    deletionCost: 0,
    restarts: 0,
    ...more,
  };
}
