// Which container is meant: by the beginning of its id, or by its pod and name. Pure; what is not clear is refused with what there is.
import type { HotexecError } from '../../errors.ts';
import { nearest } from '../nearest.ts';
import { refusal } from '../refusal.ts';
import type { Sandbox } from '../runtime/api.ts';
import { fullName, type Known, type PodContainer } from './look.ts';

type Listed = Pick<Known, 'sandboxes' | 'containers'>;

const list = 'hotexec ls lists what runs here.';

/** @throws {HotexecError} */
export function chooseById(id: string, known: readonly Listed[]): PodContainer {
  const target = `cri/${id}`;
  const containers = known.flatMap((each) => each.containers);
  const found = containers.filter((container) => container.id.startsWith(id));
  const [first, ...others] = found;
  if (first === undefined) throw notFound(id, known);
  if (others.length > 0) {
    const ids = found.map((each) => `${each.id.slice(0, 16)} (${fullName(each)})`).join(', ');
    throw refusal('usage', `${target} is the beginning of several ids: ${ids}.`, 'More of the id says which one.');
  }
  return running(target, first);
}

function notFound(id: string, known: readonly Listed[]): HotexecError {
  const target = `cri/${id}`;
  const sandbox = known.flatMap(({ sandboxes }) => sandboxes).find((each) => each.id.startsWith(id));
  if (sandbox !== undefined) {
    const names = namesIn(sandbox, known);
    return refusal(
      'target-excluded',
      `${target} is the sandbox of pod ${sandbox.namespace}/${sandbox.name}: its /pause only holds the pod's namespaces.`,
      names.length === 0
        ? list
        : `Its containers: ${names.map((name) => `${localTarget(sandbox)} -c ${name}`).join(', ')}`,
    );
  }
  const containers = known.flatMap((each) => each.containers);
  const byName = containers.toSorted(byFullName).find(({ name, state }) => name === id && state === 'running');
  const near = nearest(
    id,
    containers.map((each) => each.id.slice(0, id.length)),
  );
  const hint =
    byName !== undefined
      ? `Did you mean cri/${byName.id.slice(0, 12)} (${fullName(byName)})?`
      : near === undefined
        ? list
        : `Did you mean cri/${near}?`;
  return refusal('target-not-found', `${target}: there is no such container.`, hint);
}

export interface PodChoice {
  readonly name: string;
  /** Null: any, as long as there is one. */
  readonly namespace: string | null;
  /** Null: the only one, or the one that kubectl would take. */
  readonly container: string | null;
}

/** @throws {HotexecError} */
export function chooseInPod(choice: PodChoice, known: readonly Listed[]): PodContainer {
  const pod = choosePod(choice, known);
  const target = `pod/${pod.name}`;
  const all = known.flatMap((each) => each.containers).filter(({ sandboxId }) => sandboxId === pod.id);
  const candidates = all.filter(({ state, name }) => state === 'running' && !isAgent(name));
  const wanted = choice.container ?? byDefault(pod, candidates);
  if (wanted !== null) return named(wanted, { target, all });
  const [only, ...others] = candidates;
  if (only === undefined) throw refusal('target-not-found', `${target}: none of its containers runs.`, list);
  if (others.length === 0) return only;
  const names = candidates.map(({ name }) => name).toSorted();
  throw refusal('usage', `${target} has several containers: ${names.join(', ')}.`, `Say which one: -c ${names[0]}`);
}

function choosePod({ name, namespace }: PodChoice, known: readonly Listed[]): Sandbox {
  const target = `pod/${name}`;
  const pods = newestOfEach(known.flatMap(({ sandboxes }) => sandboxes).filter(({ ready }) => ready));
  const inNamespace = pods.filter((pod) => namespace === null || pod.namespace === namespace);
  const found = inNamespace.filter((pod) => pod.name === name);
  const [first, ...others] = found;
  if (first === undefined) throw podNotFound({ name, namespace }, pods);
  if (others.length === 0) return first;
  const namespaces = found.map((pod) => pod.namespace).toSorted();
  throw refusal(
    'usage',
    `${target} runs here in several namespaces: ${namespaces.join(', ')}.`,
    `Say which one: -n ${namespaces[0] ?? 'NAMESPACE'}`,
  );
}

function podNotFound(
  { name, namespace }: Pick<PodChoice, 'name' | 'namespace'>,
  pods: readonly Sandbox[],
): HotexecError {
  const where = namespace === null ? '' : ` in namespace ${namespace}`;
  const elsewhere = pods.find((pod) => pod.name === name);
  const near = nearest(
    name,
    pods.filter((pod) => namespace === null || pod.namespace === namespace).map((pod) => pod.name),
  );
  const hint =
    elsewhere !== undefined
      ? `It runs here in namespace ${elsewhere.namespace}.`
      : near === undefined
        ? 'hotexec ls lists what runs on this machine; pods on other nodes are reached without --local.'
        : `Did you mean pod/${near}?`;
  return refusal('target-not-found', `pod/${name}: no such pod runs on this machine${where}.`, hint);
}

/** A pod whose sandbox was made anew has two for a while. */
function newestOfEach(sandboxes: readonly Sandbox[]): readonly Sandbox[] {
  const byPod = new Map<string, Sandbox>();
  for (const sandbox of sandboxes) {
    const key = `${sandbox.namespace}/${sandbox.name}`;
    if (sandbox.attempt >= (byPod.get(key)?.attempt ?? 0)) byPod.set(key, sandbox);
  }
  return [...byPod.values()];
}

const defaultContainer = 'kubectl.kubernetes.io/default-container';

/** As kubectl takes it; an annotation that names none of them is as good as none. */
function byDefault({ annotations }: Sandbox, candidates: readonly PodContainer[]): string | null {
  const name = annotations[defaultContainer];
  return name !== undefined && candidates.some((each) => each.name === name) ? name : null;
}

/** hotexec's own, which it keeps in a pod that is reached over the cluster. */
export function isAgent(name: string): boolean {
  return /^hotexec-.*-\d+$/.test(name);
}

/** A container that was restarted has an earlier one of the same name, which has ended. */
function named(
  name: string,
  { target, all }: { readonly target: string; readonly all: readonly PodContainer[] },
): PodContainer {
  const found = all.filter((each) => each.name === name);
  const container = found.find(({ state }) => state === 'running') ?? found[0];
  if (container !== undefined) return running(`${target}, container ${name}`, container);
  const names = [...new Set(all.map((each) => each.name))].toSorted();
  const near = nearest(name, names);
  throw refusal(
    'target-not-found',
    `${target}: ${JSON.stringify(name)} is none of its containers; it has ${names.join(', ')}.`,
    near === undefined ? null : `Did you mean -c ${near}?`,
  );
}

function running(target: string, container: PodContainer): PodContainer {
  if (container.state === 'running') return container;
  const state = container.state === 'unknown' ? 'its state is not known' : container.state;
  throw refusal('target-not-found', `${target} does not run (${state}).`, `crictl logs ${container.id.slice(0, 12)}`);
}

function byFullName(a: PodContainer, b: PodContainer): number {
  return fullName(a) < fullName(b) ? -1 : 1;
}

function namesIn({ id }: Sandbox, known: readonly Listed[]): readonly string[] {
  return known
    .flatMap(({ containers }) => containers)
    .flatMap(({ sandboxId, name, state }) => (sandboxId === id && state === 'running' ? [name] : []))
    .toSorted();
}

function localTarget({ name, namespace }: Sandbox): string {
  return `pod/${name} --local -n ${namespace}`;
}
