// All pods and containers that the runtimes of this machine know over CRI. Two calls a runtime, however many pods there are.
import type { HotexecError } from '../../errors.ts';
import { asHotexecError } from '../refusal.ts';
import type { CriContainer, RuntimeApi, Sandbox } from '../runtime/api.ts';

export interface Known {
  readonly api: RuntimeApi;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly PodContainer[];
}

export interface PodContainer extends CriContainer {
  readonly api: RuntimeApi;
  /** Undefined: removed between the two calls. */
  readonly pod: Sandbox | undefined;
}

export interface Looked {
  readonly known: readonly Known[];
  /** Of runtimes that are there and do not answer. */
  readonly failures: readonly HotexecError[];
}

export async function lookAt(apis: readonly RuntimeApi[]): Promise<Looked> {
  const answers = await Promise.allSettled(apis.map(lookAtOne));
  return {
    known: answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
    failures: answers.flatMap((answer) => (answer.status === 'rejected' ? [asHotexecError(answer.reason)] : [])),
  };
}

async function lookAtOne(api: RuntimeApi): Promise<Known> {
  const [sandboxes, containers] = await Promise.all([api.sandboxes(), api.containers()]);
  const podOf = new Map(sandboxes.map((sandbox) => [sandbox.id, sandbox]));
  return {
    api,
    sandboxes,
    containers: containers.map(({ id, sandboxId, name, state }) => {
      const pod = podOf.get(sandboxId);
      return { id, sandboxId, name, state, api, pod };
    }),
  };
}

/** `default/web-0/app`. */
export function fullName({ name, pod }: Pick<PodContainer, 'name' | 'pod'>): string {
  return pod === undefined ? name : `${pod.namespace}/${pod.name}/${name}`;
}
