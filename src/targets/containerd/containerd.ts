// containerd/ID: containerd tells the first process of a container that ctr, nerdctl or another client of it has made; /proc must agree.
import type { HotexecError } from '../../errors.ts';
import type { ProgramSpec, TargetProcess } from '../../protocol/request.ts';
import { identify } from '../identity.ts';
import { parseOciSpec } from '../oci-spec.ts';
import type { ResolveContext } from '../resolve.ts';
import { withRuntimes } from '../runtime/all.ts';
import { asHotexecError, refusal } from '../refusal.ts';
import { noRuntime } from '../runtime/refusal.ts';
import type { ContainerdContainer, RuntimeApi, Task } from '../runtime/api.ts';
import { formatEndpoint } from '../runtime/failure.ts';
import { containerdEndpoints } from '../runtime/endpoint.ts';
import { formatTarget, type Target } from '../target.ts';
import { chooseContainer, nameOf, type NamedContainer } from './choose.ts';
import { containersOf, taskOf } from './look.ts';

type ContainerdTarget = Extract<Target, { readonly kind: 'containerd' }>;

export async function resolveContainerd(target: ContainerdTarget, context: ResolveContext): Promise<TargetProcess> {
  const endpoints = containerdEndpoints(target.endpoint ?? null, context.env);
  if (endpoints.length === 0) throw noRuntime('containers of containerd');
  return await withRuntimes({ endpoints, signal: context.signal }, async (apis) => {
    const container = await find(target, apis);
    const name = formatTarget(target);
    return processOf(container, { name, task: await taskOf(container), proc: context.proc });
  });
}

/** What cannot be found may be known to a containerd that does not answer. */
async function find({ id, namespace }: ContainerdTarget, apis: readonly RuntimeApi[]): Promise<NamedContainer> {
  const answers = await Promise.allSettled(apis.map((api) => containersOf(api, namespace)));
  const all = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failure = answers.find((answer) => answer.status === 'rejected');
  try {
    return chooseContainer(id, all);
  } catch (error) {
    const isMissing = asHotexecError(error).code === 'target-not-found';
    throw isMissing && failure !== undefined ? asHotexecError(failure.reason) : error;
  }
}

interface Resolving {
  readonly name: string;
  readonly task: Task | null;
  readonly proc: string;
}

function processOf(container: NamedContainer, { name, task, proc }: Resolving): TargetProcess {
  const { id, namespace } = container;
  const { pid } = runningTask(name, container, task);
  const identity = identify(pid, proc, id);
  if (identity?.container?.id !== id) throw elsewhere(name, container, pid);
  return {
    name,
    pid,
    startTicks: identity.startTicks,
    container: {
      id: wholeId(container),
      name: `${namespace}/${nameOf(container)}`,
      runtime: identity.container.runtime,
    },
    spec: specOf(identity.spec, container),
  };
}

/** Another namespace may have the same name, and tomorrow another container may: only 64 digits say for good which one it is. */
function wholeId({ id, namespace }: Pick<NamedContainer, 'id' | 'namespace'>): string {
  return /^[\da-f]{64}$/.test(id) ? id : `${namespace}/${id}`;
}

function runningTask(name: string, { id, namespace }: NamedContainer, task: Task | null): Task {
  if (task?.state === 'paused') {
    const message = `${name} is paused: its processes cannot run.`;
    throw refusal('target-frozen', message, `ctr -n ${namespace} tasks resume ${id}`);
  }
  if (task?.state === 'running') return task;
  const state = task === null ? 'it has no task' : task.state === 'stopped' ? `exit code ${task.exitCode}` : task.state;
  throw refusal('target-not-found', `${name} does not run (${state}).`, `ctr -n ${namespace} tasks ls`);
}

/** The bundle is what was really started; what containerd keeps may have been changed since. */
function specOf(bundle: ProgramSpec | null, { spec, labels }: ContainerdContainer): ProgramSpec | null {
  const kept = spec === null ? null : parseOciSpec(spec);
  const known = bundle ?? (kept === null ? null : { ...kept, source: 'api' });
  return known === null ? null : { ...known, stopSignal: stopSignalIn(labels), stopTimeoutSeconds: timeoutIn(labels) };
}

type Labels = ContainerdContainer['labels'];

/** containerd's own label (containerd.StopSignalLabel). */
function stopSignalIn(labels: Labels): string | null {
  return labels['io.containerd.image.config.stop-signal'] || null;
}

function timeoutIn(labels: Labels): number | null {
  const text = labels['nerdctl/stop-timeout'] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function elsewhere(name: string, { api, id }: NamedContainer, pid: number): HotexecError {
  return refusal(
    'runtime-unreachable',
    `${name} does not run on this machine: pid ${pid}, which containerd on ${formatEndpoint(api.endpoint)} names, is not the first process of ${id} here.`,
    'Run hotexec as root where containerd runs: not inside a container, a virtual machine, or another pid namespace.',
  );
}
