// Workloads: the pods of one, in their order, and when a rollout is through.
import { kubectl } from './kubectl.ts';
import { apiGet } from './machine/api.ts';
import { Pod } from './pod.ts';

/** Waits until all its pods are those of its present template, and ready. */
export async function rolledOut(namespace: string, workload: string): Promise<void> {
  await kubectl('rollout', 'status', '--namespace', namespace, workload, '--timeout=120s');
}

/** By name: web-0 before web-1. */
export async function podsWith(namespace: string, selector: string): Promise<Pod[]> {
  const { body } = await apiGet(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`);
  const { items } = JSON.parse(body) as { items: readonly { metadata: { name: string } }[] };
  return items.map(({ metadata }) => new Pod(namespace, metadata.name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
