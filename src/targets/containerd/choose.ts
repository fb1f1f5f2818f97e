// Which of containerd's containers is meant: by its id, the name that nerdctl gave it, or the beginning of its id. Pure.
import type { HotexecError } from '../../errors.ts';
import { nearest } from '../nearest.ts';
import { refusal } from '../refusal.ts';
import type { ContainerdContainer, RuntimeApi } from '../runtime/api.ts';

export interface NamedContainer extends ContainerdContainer {
  readonly api: RuntimeApi;
  readonly namespace: string;
}

type Listed = Pick<NamedContainer, 'id' | 'labels' | 'namespace'>;

/** @throws {HotexecError} */
export function chooseContainer<Container extends Listed>(id: string, all: readonly Container[]): Container {
  const target = `containerd/${id}`;
  const found = matching(id, all);
  const [first, ...others] = found;
  if (first === undefined) throw notFound(id, all);
  if (others.length > 0) {
    const names = found.map((each) => `containerd/${each.namespace}/${each.id}`).toSorted();
    throw refusal('usage', `${target} may be any of these: ${names.join(', ')}.`, `Say which one: ${names[0]}`);
  }
  if (isSandbox(first)) {
    const message = `${target} is the sandbox of a pod: its /pause only holds the pod's namespaces.`;
    throw refusal('target-excluded', message, 'hotexec ls lists the containers of pods.');
  }
  return first;
}

/** A whole id comes before a name, and that before the beginning of an id. */
function matching<Container extends Listed>(id: string, all: readonly Container[]): readonly Container[] {
  const byId = all.filter((each) => each.id === id);
  if (byId.length > 0) return byId;
  const byName = all.filter((each) => nameOf(each) === id);
  return byName.length > 0 ? byName : all.filter((each) => each.id.startsWith(id));
}

/** What nerdctl calls it; else its id. */
export function nameOf({ id, labels }: Pick<Listed, 'id' | 'labels'>): string {
  return labels['nerdctl/name'] || id;
}

// pkg/cri/server/helpers.go of containerd.
const criKind = 'io.cri-containerd.kind';

function isSandbox({ labels }: Pick<Listed, 'labels'>): boolean {
  return labels[criKind] === 'sandbox';
}

/** Made over CRI, which knows more of it; a sandbox too. */
export function isOfCri({ labels }: Pick<Listed, 'labels'>): boolean {
  return labels[criKind] !== undefined;
}

function notFound(id: string, all: readonly Listed[]): HotexecError {
  const near = nearest(
    id,
    all.flatMap((each) => (isSandbox(each) ? [] : [each.id, nameOf(each)])),
  );
  return refusal(
    'target-not-found',
    `containerd/${id}: there is no such container.`,
    near === undefined ? 'hotexec ls lists what runs here.' : `Did you mean containerd/${near}?`,
  );
}
