// Where on this machine a target is looked for: what the flags of flags.ts say of it.
import type { Target } from '../targets/target.ts';
import { targetOf } from './arguments.ts';
import { usageError } from './usage.ts';

export interface TargetFlags {
  readonly local?: true | undefined;
  readonly namespace?: string | undefined;
  readonly container?: string | undefined;
  readonly containerdNamespace?: string | undefined;
  readonly runtimeEndpoint?: string | undefined;
}

/** `docker/web`, or as kubectl has it: `docker web`; with what the flags say of it. */
export function readTarget(words: readonly string[], flags: TargetFlags): Target {
  const target = withNode(targetOf(words), flags);
  refuseMisplaced(target, flags);
  return target;
}

function withNode(target: Target, flags: TargetFlags): Target {
  const endpoint = flags.runtimeEndpoint ?? null;
  switch (target.kind) {
    case 'cri':
      return { ...target, endpoint };
    case 'containerd':
      return { ...target, namespace: containerdNamespace(target.namespace, flags), endpoint };
    case 'later':
      return target.type === 'pod' && flags.local === true ? localPod(target.name, flags) : target;
    case 'pid':
    case 'docker':
    case 'local-pod':
      return target;
  }
}

function localPod(name: string, { namespace, container, runtimeEndpoint }: TargetFlags): Target {
  return {
    kind: 'local-pod',
    name,
    namespace: namespace ?? null,
    container: container ?? null,
    endpoint: runtimeEndpoint ?? null,
  };
}

function containerdNamespace(own: string | null, { containerdNamespace: given }: TargetFlags): string | null {
  if (own === null || given === undefined || own === given) return given ?? own;
  throw usageError(`The target is in namespace ${own}, and --containerd-namespace says ${given}.`);
}

/** A flag that would do nothing was meant for something else. */
function refuseMisplaced({ kind }: Target, flags: TargetFlags): void {
  const isPod = kind === 'local-pod' || kind === 'later';
  if (flags.local === true && kind !== 'local-pod') throw usageError('--local is for a pod.', 'pod/NAME --local');
  if (flags.namespace !== undefined && !isPod)
    throw usageError('--namespace is for a pod.', 'Of containerd/ID it is --containerd-namespace.');
  if (flags.container !== undefined && !isPod) throw usageError('--container is for a pod.');
  if (flags.containerdNamespace !== undefined && kind !== 'containerd')
    throw usageError('--containerd-namespace is for containerd/ID.');
  if (flags.runtimeEndpoint !== undefined && !['cri', 'containerd', 'local-pod'].includes(kind))
    throw usageError('--runtime-endpoint is for cri/ID, containerd/ID and pod/NAME --local.');
}
