// What the API server tells of a container of which nothing was heard any more. Pure.
import { statusOf, type Pod, type Terminated } from './pod.ts';

/** A container as it was when it was looked up. */
export interface KnownContainer {
  readonly name: string;
  /** Bare. */
  readonly id: string;
  /** Of its pod. */
  readonly podUid: string;
}

export type ContainerFate =
  /** As far as the kubelet has told yet. */
  | { readonly kind: 'running' }
  /** Somebody deletes the pod, or the kubelet has ended it as a whole: `why` is its reason, as `Evicted`. */
  | { readonly kind: 'stopped'; readonly why: string }
  /** `end`: null where the kubelet does not tell any more. */
  | { readonly kind: 'ended'; readonly end: Pick<Terminated, 'exitCode' | 'reason'> | null };

/** `pod`: null where there is none of that name any more. */
export function containerFate(pod: Pod | null, { name, id, podUid }: KnownContainer): ContainerFate {
  if (pod === null || pod.metadata.uid !== podUid) return { kind: 'stopped', why: 'deleted' };
  if (pod.metadata.deletionTimestamp !== null) return { kind: 'stopped', why: 'being deleted' };
  const status = statusOf(name, pod);
  const [now, before] = [status?.state.terminated ?? null, status?.lastState.terminated ?? null];
  const isSame = bare(status?.containerID ?? null) === id;
  if (isSame && now === null) return { kind: 'running' };
  if (pod.status.reason !== null) return { kind: 'stopped', why: pod.status.reason };
  const end = isSame ? now : bare(before?.containerID ?? null) === id ? before : null;
  return { kind: 'ended', end };
}

function bare(containerId: string | null): string | null {
  return containerId?.replace(/^.*:\/\//, '') ?? null;
}
