// cri/ID and pod/NAME --local: the runtime tells the container's first process, /proc must agree that it is here, and that one.
import type { HotexecError } from '../../errors.ts';
import type { ProgramSpec, TargetProcess } from '../../protocol/request.ts';
import { identify } from '../identity.ts';
import type { ResolveContext } from '../resolve.ts';
import { withRuntimes } from '../runtime/all.ts';
import { asHotexecError, refusal } from '../refusal.ts';
import { noRuntime } from '../runtime/refusal.ts';
import type { CriStatus } from '../runtime/api.ts';
import { formatEndpoint } from '../runtime/failure.ts';
import { criEndpoints } from '../runtime/endpoint.ts';
import { formatTarget, type Target } from '../target.ts';
import { chooseById, chooseInPod } from './choose.ts';
import { gracePeriodIn, imageStopSignal, parseContainerInfo } from './info.ts';
import { fullName, lookAt, type Known, type PodContainer } from './look.ts';

type CriTarget = Extract<Target, { readonly kind: 'cri' | 'local-pod' }>;

export async function resolveCri(target: CriTarget, context: ResolveContext): Promise<TargetProcess> {
  const endpoints = criEndpoints(target.endpoint ?? null, context.env);
  if (endpoints.length === 0) throw noRuntime('containers of pods');
  return await withRuntimes({ endpoints, signal: context.signal }, async (apis) => {
    const { known, failures } = await lookAt(apis);
    return await processOf(choose(target, known, failures), { name: formatTarget(target), proc: context.proc });
  });
}

/** What cannot be found may be known to a runtime that does not answer. */
function choose(target: CriTarget, known: readonly Known[], failures: readonly HotexecError[]): PodContainer {
  try {
    return target.kind === 'cri'
      ? chooseById(target.id, known)
      : chooseInPod({ container: null, namespace: null, ...target }, known);
  } catch (error) {
    throw asHotexecError(error).code === 'target-not-found' ? (failures[0] ?? error) : error;
  }
}

interface Resolving {
  readonly name: string;
  readonly proc: string;
}

async function processOf(container: PodContainer, { name, proc }: Resolving): Promise<TargetProcess> {
  const status = await container.api.status(container.id);
  const { pid, spec } = parseContainerInfo(status.info);
  if (status.state !== 'running') {
    throw refusal('target-not-found', `${name} has ended meanwhile (exit code ${status.exitCode}).`, null);
  }
  if (pid === null) throw untold(name, container);
  const identity = identify(pid, proc);
  if (identity?.container?.id !== container.id) throw elsewhere(name, { container, pid });
  return {
    name,
    pid,
    startTicks: identity.startTicks,
    container: { id: container.id, name: fullName(container), runtime: identity.container.runtime },
    spec: await withStop(identity.spec ?? spec, { container, status }),
  };
}

/** The bundle is what was really started, and tells nothing of the stop. */
async function withStop(
  spec: ProgramSpec | null,
  { container, status }: { readonly container: PodContainer; readonly status: CriStatus },
): Promise<ProgramSpec | null> {
  if (spec === null) return null;
  const stopSignal = status.stopSignal ?? imageStopSignal(await imageInfoOf(container, status));
  return { ...spec, stopSignal, stopTimeoutSeconds: gracePeriodIn(status.annotations) };
}

/** The image may have been removed, or the runtime not tell: then the default signal is meant. */
async function imageInfoOf({ api }: PodContainer, { image }: CriStatus): Promise<string | null> {
  if (image === '') return null;
  try {
    return await api.imageInfo(image);
  } catch (error) {
    if (asHotexecError(error).code === 'cancelled') throw error;
    return null;
  }
}

function untold(name: string, { api, id }: PodContainer): HotexecError {
  return refusal(
    'runtime-unreachable',
    `${name}: the runtime on ${formatEndpoint(api.endpoint)} does not tell the pid of container ${id.slice(0, 12)}.`,
    "cri-dockerd does not: its containers are Docker's, and named docker/ID. Others by their pid.",
  );
}

function elsewhere(
  name: string,
  { container, pid }: { readonly container: PodContainer; readonly pid: number },
): HotexecError {
  const { api, id } = container;
  return refusal(
    'runtime-unreachable',
    `${name} does not run on this machine: pid ${pid}, which the runtime on ${formatEndpoint(api.endpoint)} names, is no process of container ${id.slice(0, 12)} here.`,
    'Run hotexec where the runtime runs: not inside a container, a virtual machine, or another pid namespace. A container in a virtual machine (Kata) or behind gVisor has no process of its own here.',
  );
}
