// Docker's running containers. A list has no pids, so each is asked for.
import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { asHotexecError, refusal } from '../refusal.ts';
import { dockerGet, type DockerApi } from '../docker/api.ts';
import { parseContainer } from '../docker/container.ts';
import { defaultSocket, findDockerEndpoint, formatEndpoint } from '../docker/endpoint.ts';
import type { ResolveContext } from '../resolve.ts';
import { each, type Found, type Source } from './found.ts';

export async function dockerContainers({ env, signal }: ResolveContext): Promise<Source> {
  try {
    const endpoint = findDockerEndpoint(env);
    const isAbsent = endpoint.kind === 'unix' && endpoint.path === defaultSocket && !existsSync(defaultSocket);
    return { found: isAbsent ? [] : await running({ endpoint, signal }), failures: [] };
  } catch (error) {
    return { found: [], failures: [asHotexecError(error)] };
  }
}

const containerList = v.array(v.object({ Id: v.string(), Labels: v.nullish(v.record(v.string(), v.string()), {}) }));

async function running(api: DockerApi): Promise<readonly Found[]> {
  const { status, body } = await dockerGet('/containers/json', api);
  const listed = v.safeParse(containerList, body);
  if (status !== 200 || !listed.success) {
    const address = formatEndpoint(api.endpoint);
    throw refusal('runtime-unreachable', `Docker on ${address} answers strangely: ${status}, and no list.`, null);
  }
  return await each(
    listed.output.filter(({ Labels }) => Labels['io.kubernetes.docker.type'] !== 'podsandbox'),
    async ({ Id, Labels }) => await found(Id, Labels, api),
  );
}

/** Null: it has ended meanwhile, or is paused and so cannot be restarted. */
async function found(id: string, labels: Readonly<Record<string, string>>, api: DockerApi): Promise<Found | null> {
  const { body } = await dockerGet(`/containers/${encodeURIComponent(id)}/json`, api);
  const container = parseContainer(body);
  if (container === null || !container.state.running || container.state.paused) return null;
  return {
    type: 'docker',
    runtime: 'docker',
    id,
    name: container.name,
    // What cri-dockerd notes down.
    pod: labels['io.kubernetes.pod.name'] ?? null,
    namespace: labels['io.kubernetes.pod.namespace'] ?? null,
    container: labels['io.kubernetes.container.name'] ?? null,
    containerdNamespace: null,
    pid: container.state.pid,
  };
}
