// The running containers of pods. Their pids are in their status alone, so each is asked for.
import type { HotexecError } from '../../errors.ts';
import { isAgent } from '../cri/choose.ts';
import { parseContainerInfo } from '../cri/info.ts';
import { lookAt, type Known, type PodContainer } from '../cri/look.ts';
import { withRuntimes } from '../runtime/all.ts';
import { asHotexecError } from '../refusal.ts';
import { isUnimplemented } from '../runtime/failure.ts';
import { criEndpoints } from '../runtime/endpoint.ts';
import { each, type Found, type Source } from './found.ts';
import type { ListContext } from './list.ts';

export async function criContainers({ env, endpoint, signal }: ListContext): Promise<Source> {
  const endpoints = criEndpoints(endpoint, env);
  if (endpoints.length === 0) return { found: [], failures: [] };
  return await withRuntimes({ endpoints, signal }, async (apis) => {
    const { known, failures } = await lookAt(apis);
    const sources = await Promise.all(known.map(containersOf));
    return {
      found: sources.flatMap((source) => source.found),
      // A containerd without CRI is one that is no runtime of pods.
      failures: [...failures, ...sources.flatMap((source) => source.failures)].filter(isFailure),
    };
  });
}

async function containersOf({ api, containers }: Known): Promise<Source> {
  try {
    const runtime = (await api.version()).name.toLowerCase();
    const running = containers.filter(({ state, name }) => state === 'running' && !isAgent(name));
    return { found: await each(running, async (container) => await found(container, runtime)), failures: [] };
  } catch (error) {
    return { found: [], failures: [asHotexecError(error)] };
  }
}

/** Null: it has ended meanwhile, or its runtime tells no pid. */
async function found(container: PodContainer, runtime: string): Promise<Found | null> {
  const { api, id, name, pod } = container;
  const { pid } = parseContainerInfo((await api.status(id)).info);
  if (pid === null) return null;
  return {
    type: 'cri',
    runtime,
    id,
    name,
    pod: pod?.name ?? null,
    namespace: pod?.namespace ?? null,
    container: name,
    containerdNamespace: null,
    pid,
  };
}

function isFailure(error: HotexecError): boolean {
  return !isUnimplemented(error);
}
