// The flags that say where on this machine a container is: --local, --containerd-namespace, --runtime-endpoint.
import type { Target } from '../targets/target.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import { usageError } from './usage.ts';

/** As commander gives them. */
export interface NodeFlags {
  readonly local?: true | undefined;
  readonly containerdNamespace?: string | undefined;
  readonly runtimeEndpoint?: string | undefined;
}

type Placing = NodeFlags & Pick<ClusterFlags, 'namespace' | 'container'>;

/** The target with what the flags say of it. Usage errors: a flag that would do nothing was meant for something else. */
export function withNode(target: Target, flags: Placing): Target {
  const placed = place(target, flags);
  refuseMisplaced(placed, flags);
  return placed;
}

function place(target: Target, flags: Placing): Target {
  const endpoint = flags.runtimeEndpoint ?? null;
  switch (target.kind) {
    case 'cri':
      return { ...target, endpoint };
    case 'containerd':
      return { ...target, namespace: containerdNamespace(target.namespace, flags), endpoint };
    case 'pod': {
      if (flags.local !== true) return target;
      const { namespace = null, container = null } = flags;
      return { kind: 'local-pod', name: target.name, namespace, container, endpoint };
    }
    case 'pid':
    case 'docker':
    case 'local-pod':
    case 'workload':
    case 'selected':
      return target;
  }
}

function containerdNamespace(own: string | null, { containerdNamespace: given }: NodeFlags): string | null {
  if (own === null || given === undefined || own === given) return given ?? own;
  throw usageError(`The target is in namespace ${own}, and --containerd-namespace says ${given}.`);
}

function refuseMisplaced({ kind }: Target, flags: NodeFlags): void {
  if (flags.local === true && kind !== 'local-pod') throw usageError('--local is for a pod.', 'pod/NAME --local');
  if (flags.containerdNamespace !== undefined && kind !== 'containerd')
    throw usageError('--containerd-namespace is for containerd/ID.');
  if (flags.runtimeEndpoint !== undefined && !['cri', 'containerd', 'local-pod'].includes(kind))
    throw usageError('--runtime-endpoint is for cri/ID, containerd/ID and pod/NAME --local.');
}
