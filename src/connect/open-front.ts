// From a target to whoever can carry out a request on it: an engine of this machine, or the agent beside a container of a pod.
import type { Front } from '../front/front.ts';
import type { StartEngine } from '../front/launch.ts';
import { LocalFront } from '../front/local-front.ts';
import type { RestartOptions } from '../protocol/request.ts';
import { resolve, type ResolveContext } from '../targets/resolve.ts';
import { isInCluster, type Target } from '../targets/target.ts';
import type { ClusterOptions } from './cluster-options.ts';

export interface FrontContext extends ResolveContext {
  readonly signal: AbortSignal;
  readonly startEngine: StartEngine;
  readonly cluster: ClusterOptions;
  /** What is being waited for, as a clause. */
  readonly onProgress: (doing: string) => void;
  /** Of a restart: what a pod's own description is against is refused before anything is put into the pod. Null: it is not a restart. */
  readonly restart: RestartOptions | null;
}

/** One target, found. Throws HotexecError. */
export async function openFront(target: Target, context: FrontContext): Promise<Front> {
  if (isInCluster(target)) {
    const { openPod } = await import('./open-pod.ts');
    return openPod(target, context);
  }
  return new LocalFront(await resolve(target, context), context.startEngine);
}
