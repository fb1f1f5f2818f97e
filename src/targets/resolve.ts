// From a target to the one process that it means, so named that a recycled pid cannot be mistaken for it.
import type { TargetProcess } from '../protocol/request.ts';
import type { ClusterTarget, Target } from './target.ts';

/** All that resolving needs of the outside. */
export interface ResolveContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `/proc`, but for tests. */
  readonly proc: string;
  readonly signal?: AbortSignal | undefined;
}

/** What this machine may have. */
export type LocalTarget = Exclude<Target, ClusterTarget>;

/** Finds the process, its container and the runtime's spec. Reads only. Throws HotexecError. */
export async function resolve(target: LocalTarget, context: ResolveContext): Promise<TargetProcess> {
  switch (target.kind) {
    case 'pid': {
      const { resolvePid } = await import('./pid.ts');
      return resolvePid(target, context);
    }
    case 'docker': {
      const { resolveDocker } = await import('./docker/docker.ts');
      return resolveDocker(target, context);
    }
    case 'cri':
    case 'local-pod': {
      const { resolveCri } = await import('./cri/cri.ts');
      return resolveCri(target, context);
    }
    case 'containerd': {
      const { resolveContainerd } = await import('./containerd/containerd.ts');
      return resolveContainerd(target, context);
    }
  }
}
