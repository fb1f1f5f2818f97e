// A pod seen from outside: what must be the same after a restart in place, and what the cluster says of it.
import { kubectl } from './kubectl.ts';
import type { ContainerInPod, Pod } from './pod.ts';

export interface PodIdentity {
  readonly uid: string;
  readonly address: string;
  readonly node: string;
  readonly container: ContainerInPod;
  readonly pid: number;
}

export async function podIdentity(pod: Pod, container = 'app'): Promise<PodIdentity> {
  const { uid, address, node } = await pod.record();
  return { uid, address, node, container: await pod.container(container), pid: await pod.pid(container) };
}

export interface AgentInPod {
  readonly name: string;
  readonly targetContainerName: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

/** Ephemeral containers, the first first: the API puts new ones in front. */
export async function agentsOf(pod: Pod): Promise<readonly AgentInPod[]> {
  const { spec } = await podObject(pod);
  return (spec.ephemeralContainers ?? []).toReversed();
}

/** The API server hears of an agent later than the command that uses it. Returns the last one's name. */
export async function untilAgentIsKnown(pod: Pod): Promise<string> {
  const name = (await agentsOf(pod)).at(-1)?.name ?? '';
  await pod.becomes('one with an agent', ({ containers }) => containers[name]?.state === 'running');
  return name;
}

/** Of the last one. */
export async function agentPid(pod: Pod): Promise<number> {
  return await pod.pid(await untilAgentIsKnown(pod));
}

export async function annotationsOf(pod: Pod): Promise<Readonly<Record<string, string>>> {
  const { metadata } = await podObject(pod);
  return metadata.annotations ?? {};
}

interface PodObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly ephemeralContainers?: readonly AgentInPod[] };
}

async function podObject(pod: Pod): Promise<PodObject> {
  const words = ['get', 'pod', pod.name, '--namespace', pod.namespace, '--output', 'json'];
  return JSON.parse(await kubectl(...words)) as PodObject;
}

export interface EventOfPod {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
}

/** Those of hotexec, oldest first. */
export async function eventsOf(pod: Pod): Promise<readonly EventOfPod[]> {
  const selector = `involvedObject.uid=${(await pod.record()).uid}`;
  const words = ['get', 'events', '--namespace', pod.namespace, '--field-selector', selector, '--output', 'json'];
  const { items } = JSON.parse(await kubectl(...words)) as {
    items: readonly (EventOfPod & { firstTimestamp: string; source: { component: string } })[];
  };
  return items
    .filter(({ source }) => source.component === 'hotexec')
    .toSorted((a, b) => (a.firstTimestamp < b.firstTimestamp ? -1 : 1))
    .map(({ reason, type, message }) => ({ reason, type, message }));
}
