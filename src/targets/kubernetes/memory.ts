// How much memory a pod may use as a whole, and what the agent takes of it: it lives in the pod's own cgroup.
import type { Container, Pod } from './pod.ts';

/** What the agent and one engine need together. */
export const agentMemoryBytes: number = 120 * 2 ** 20;

/** In bytes; null: there is no limit, since one of its containers has none. */
export function memoryLimit({ spec }: Pod): number | null {
  const whole = limitOf(spec.resources);
  if (whole !== null) return whole;
  const beside = spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const limits = [...spec.containers, ...beside].map(({ resources }) => limitOf(resources));
  return limits.every((limit) => limit !== null) ? limits.reduce((sum, limit) => sum + limit, 0) : null;
}

function limitOf(resources: Container['resources']): number | null {
  const memory = resources?.limits['memory'];
  return memory === undefined ? null : parseQuantity(String(memory));
}

const factors: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** As Kubernetes writes quantities: `128Mi`, `1e9`, `1500m`. Null: it is none. */
function parseQuantity(text: string): number | null {
  const [, digits, suffix = ''] = /^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = factors[suffix];
  return digits === undefined || factor === undefined ? null : Number(digits) * factor;
}
