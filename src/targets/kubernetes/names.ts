// Names for whoever is typing one. Rejects where the cluster does not tell them.
import * as v from 'valibot';
import { parseSelected } from '../target.ts';
import { apiPath, type ClusterApi } from './api.ts';
import { mainContainers, podSchema } from './pod.ts';

const list = v.object({ items: v.array(v.object({ metadata: v.object({ name: v.string() }) })) });

// A person does not choose among more.
const most = '500';

/** `type` as kubectl has it: `deploy`. */
export async function objectNames(type: string, api: ClusterApi): Promise<readonly string[]> {
  const target = parseSelected(type, 'any');
  const group = target.type === 'pod' ? ['api', 'v1'] : ['apis', 'apps', 'v1'];
  return names([...group, 'namespaces', api.cluster.namespace, `${target.type}s`], api);
}

export async function namespaceNames(api: ClusterApi): Promise<readonly string[]> {
  return names(['api', 'v1', 'namespaces'], api);
}

async function names(path: readonly string[], api: ClusterApi): Promise<readonly string[]> {
  const { items } = await api.get(apiPath(path, { limit: most }), list);
  return items.map(({ metadata }) => metadata.name);
}

export async function containerNames(pod: string, api: ClusterApi): Promise<readonly string[]> {
  const path = apiPath(['api', 'v1', 'namespaces', api.cluster.namespace, 'pods', pod]);
  return mainContainers(await api.get(path, podSchema)).map(({ name }) => name);
}
