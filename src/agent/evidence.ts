// Whether a process is of the container that is meant, from what /proc tells. Pure.
import type { AgentTarget } from '../protocol/agent.ts';

export interface Evidence {
  /** Field 4 of its mountinfo, the root of each mount in its file system; null: not readable. */
  readonly mounts: readonly string[] | null;
  /** In the path of its control group; null: a namespace hides it. */
  readonly containerId: string | null;
  /** Ms since 1970; null: not known. */
  readonly startedMs: number | null;
}

/** `restarted`: of the container, but another run of it. `denied`: it does not show. */
export type Verdict = 'proven' | 'restarted' | 'denied' | 'other';

/** The kubelet makes a container's log of its last words and starts it at once; a clock that is set meanwhile moves the two apart. */
const earliestMs = 120_000;
const latestMs = 10_000;

export function judge({ mounts, containerId, startedMs }: Evidence, target: AgentTarget): Verdict {
  const { id } = target.container;
  const belongs = mounts === null ? 'unknown' : membership(mounts, target);
  if (belongs === 'other') return 'other';
  if (containerId !== null) {
    if (containerId === id) return 'proven';
    return belongs === 'container' ? 'restarted' : 'other';
  }
  if (belongs === 'unknown') return mounts === null ? 'denied' : 'other';
  // Mounts have the container's name, but not which run of it this is.
  return agrees(startedMs, target.startedAt) ? 'proven' : 'restarted';
}

/**
 * What the kubelet mounts into each container: the file for its last words, `pods/UID/containers/NAME/HASH`, and sub-paths of volumes,
 * `pods/UID/volume-subpaths/VOLUME/NAME/INDEX` (pkg/kubelet/kubelet_pods.go); the directory before `pods` depends on the node.
 * `other`: another container's, or another pod's.
 */
function membership(mounts: readonly string[], { pod, container }: AgentTarget): 'container' | 'other' | 'unknown' {
  let found: 'container' | 'unknown' = 'unknown';
  for (const root of mounts) {
    const [, uid, name] =
      /(?:^|\/)pods\/([^/]+)\/(?:containers|volume-subpaths\/[^/]+)\/([^/]+)\/[^/]+$/.exec(root) ?? [];
    if (uid === undefined) continue;
    if (uid !== pod.uid || name !== container.name) return 'other';
    found = 'container';
  }
  return found;
}

function agrees(startedMs: number | null, startedAt: string | null): boolean {
  const expectedMs = startedAt === null ? Number.NaN : Date.parse(startedAt);
  if (startedMs === null || Number.isNaN(expectedMs)) return true;
  return startedMs > expectedMs - earliestMs && startedMs < expectedMs + latestMs;
}
