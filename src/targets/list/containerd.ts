// What runs under containerd and neither Docker nor CRI tells of: containers of ctr, nerdctl and others.
import { containersOf } from '../containerd/look.ts';
import { isOfCri, nameOf, type NamedContainer } from '../containerd/choose.ts';
import { withRuntimes } from '../runtime/all.ts';
import { asHotexecError } from '../refusal.ts';
import type { RuntimeApi } from '../runtime/api.ts';
import { isUnimplemented } from '../runtime/failure.ts';
import { containerdEndpoints } from '../runtime/endpoint.ts';
import type { Found, Source } from './found.ts';
import type { ListContext } from './list.ts';

export async function containerdContainers({ env, endpoint, signal }: ListContext): Promise<Source> {
  const endpoints = containerdEndpoints(endpoint, env);
  if (endpoints.length === 0) return { found: [], failures: [] };
  return await withRuntimes({ endpoints, signal }, async (apis) => {
    const sources = await Promise.all(apis.map(running));
    return {
      found: sources.flatMap((source) => source.found),
      failures: sources.flatMap((source) => source.failures),
    };
  });
}

const ofDocker = 'moby';

/** CRI-O, which is asked where its socket was named, knows nothing of containerd's API. */
async function running(api: RuntimeApi): Promise<Source> {
  try {
    const all = (await containersOf(api, null)).filter((each) => each.namespace !== ofDocker && !isOfCri(each));
    const namespaces = [...new Set(all.map(({ namespace }) => namespace))];
    const tasks = await Promise.all(
      namespaces.map(async (namespace) => [namespace, await pidsIn(api, namespace)] as const),
    );
    const pids = new Map(tasks);
    return { found: all.flatMap((each) => found(each, pids.get(each.namespace)?.get(each.id))), failures: [] };
  } catch (error) {
    const failure = asHotexecError(error);
    return { found: [], failures: isUnimplemented(failure) ? [] : [failure] };
  }
}

async function pidsIn(api: RuntimeApi, namespace: string): Promise<ReadonlyMap<string, number>> {
  const tasks = await api.tasksIn(namespace);
  return new Map(tasks.flatMap(({ containerId, pid, state }) => (state === 'running' ? [[containerId, pid]] : [])));
}

function found(container: NamedContainer, pid: number | undefined): readonly Found[] {
  if (pid === undefined) return [];
  const { id, namespace } = container;
  const place = { pod: null, namespace: null, container: null, containerdNamespace: namespace };
  return [{ type: 'containerd', runtime: 'containerd', id, name: nameOf(container), ...place, pid }];
}
