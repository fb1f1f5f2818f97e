// docker/NAME: the Engine API tells the container's first process; /proc must agree that it is here, and that one.
import * as v from 'valibot';
import type { HotexecError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import type { ProgramSpec, TargetProcess } from '../../protocol/request.ts';
import { identify } from '../identity.ts';
import { nearest } from '../nearest.ts';
import type { ResolveContext } from '../resolve.ts';
import { formatTarget, type Target } from '../target.ts';
import { dockerGet, type DockerApi } from './api.ts';
import { parseContainer, type DockerContainer } from './container.ts';
import { findDockerEndpoint, formatEndpoint } from './endpoint.ts';

export async function resolveDocker(
  target: Extract<Target, { readonly kind: 'docker' }>,
  context: ResolveContext,
): Promise<TargetProcess> {
  const name = formatTarget(target);
  const api: DockerApi = { endpoint: findDockerEndpoint(context.env), signal: context.signal };
  const container = await find(target.name, api);
  refuseUnlessRunning(name, container);
  const { pid } = container.state;
  const identity = identify(pid, context.proc);
  if (identity?.container?.id !== container.id) throw elsewhere(name, container, api);
  return {
    name,
    pid,
    startTicks: identity.startTicks,
    container: { id: container.id, name: container.name, runtime: 'docker' },
    spec: merge(identity.spec, container.spec),
  };
}

async function find(name: string, api: DockerApi): Promise<DockerContainer> {
  const { status, body } = await dockerGet(`/containers/${encodeURIComponent(name)}/json`, api);
  if (status === 404) throw await notFound(name, api);
  if (status !== 200) throw strangeAnswer(`${status} ${messageIn(body)}`, api);
  const container = parseContainer(body);
  if (container === null) throw strangeAnswer('what it says is no container', api);
  return container;
}

async function notFound(name: string, api: DockerApi): Promise<HotexecError> {
  const near = nearest(name, await runningNames(api));
  const hint = near === undefined ? 'docker ps lists the running containers.' : `Did you mean docker/${near}?`;
  return refusal('target-not-found', `docker/${name}: there is no such container.`, hint);
}

const containerList = v.array(v.object({ Names: v.nullish(v.array(v.string()), []) }));

/** For a suggestion only: any failure here gives none. */
async function runningNames(api: DockerApi): Promise<readonly string[]> {
  try {
    const { body } = await dockerGet('/containers/json', api);
    return v.parse(containerList, body).flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, '')));
  } catch {
    return [];
  }
}

function refuseUnlessRunning(target: string, { name, state }: DockerContainer): void {
  if (state.paused) {
    const message = `${target} is paused: its processes cannot run.`;
    throw refusal('target-frozen', message, `docker unpause ${name}`);
  }
  if (state.restarting) {
    const message = `${target} is being restarted by Docker: its program ended with exit code ${state.exitCode}.`;
    throw refusal('target-not-found', message, `docker logs ${name} shows why.`);
  }
  if (!state.running || state.pid === 0) {
    const message = `${target} does not run (${state.status === '' ? 'stopped' : state.status}, exit code ${state.exitCode}).`;
    throw refusal('target-not-found', message, `docker start ${name} runs it.`);
  }
}

function elsewhere(name: string, { id, state }: DockerContainer, { endpoint }: DockerApi): HotexecError {
  const message = `${name} does not run on this machine: pid ${state.pid}, which Docker on ${formatEndpoint(endpoint)} names, is no process of container ${id.slice(0, 12)} here.`;
  const hint =
    endpoint.kind === 'unix'
      ? 'Run hotexec where the Docker daemon runs: not inside a container, a virtual machine, or another pid namespace.'
      : `Run hotexec on ${endpoint.host}.`;
  return refusal('runtime-unreachable', message, hint);
}

/** The bundle is what was really started; the API knows what a bundle does not hold, and stands in where none is readable. */
function merge(bundle: ProgramSpec | null, api: ProgramSpec): ProgramSpec {
  if (bundle === null) return api;
  return { ...bundle, stopSignal: api.stopSignal, stopTimeoutSeconds: api.stopTimeoutSeconds };
}

const errorBody = v.object({ message: v.string() });

function messageIn(body: unknown): string {
  const parsed = v.safeParse(errorBody, body);
  return (parsed.success ? parsed.output.message : JSON.stringify(body)).slice(0, 500);
}

function strangeAnswer(what: string, { endpoint }: DockerApi): HotexecError {
  return refusal('runtime-unreachable', `Docker on ${formatEndpoint(endpoint)} answers strangely: ${what}.`, null);
}
