// Which container of a pod is meant: as kubectl exec chooses, but that nothing is guessed.
import { HotexecError } from '../../errors.ts';
import { nearest } from '../nearest.ts';
import { mainContainers, type Container, type Pod } from './pod.ts';

/** `wanted`: of `-c`; null: the one that the pod says is its default, or the only one. Throws HotexecError. */
export function chooseContainer(pod: Pod, wanted: string | null): Container {
  const all = mainContainers(pod);
  const names = all.map(({ name }) => name);
  if (wanted !== null) return all.find(({ name }) => name === wanted) ?? refuseUnknown(pod, wanted, names);
  const byDefault = pod.metadata.annotations[defaultContainer];
  if (byDefault !== undefined)
    return all.find(({ name }) => name === byDefault) ?? refuseDefault(pod, byDefault, names);
  const [first, ...more] = pod.spec.containers;
  if (first !== undefined && more.length === 0) return first;
  throw new HotexecError({
    code: 'target-ambiguous',
    message: `pod/${pod.metadata.name} has several containers: ${names.join(', ')}. Nothing was touched.`,
    hint: `Say which one: -c ${names[0] ?? 'NAME'}`,
  });
}

const defaultContainer = 'kubectl.kubernetes.io/default-container';

function refuseUnknown({ metadata, spec }: Pod, wanted: string, names: readonly string[]): never {
  const isInit = spec.initContainers.some(({ name }) => name === wanted);
  const isEphemeral = spec.ephemeralContainers.some(({ name }) => name === wanted);
  const why = isInit
    ? 'is an init container, and those are done before the others begin'
    : isEphemeral
      ? 'is an ephemeral container, which is not restarted'
      : 'is none of its containers';
  const near = nearest(wanted, names);
  throw new HotexecError({
    code: 'target-not-found',
    message: `pod/${metadata.name}: ${JSON.stringify(wanted)} ${why}; it has ${names.join(', ')}. Nothing was touched.`,
    hint: near === undefined ? null : `Did you mean -c ${near}?`,
  });
}

function refuseDefault({ metadata }: Pod, byDefault: string, names: readonly string[]): never {
  throw new HotexecError({
    code: 'target-not-found',
    message: `pod/${metadata.name}: its annotation ${defaultContainer} names ${JSON.stringify(byDefault)}, and it has ${names.join(', ')}. Nothing was touched.`,
    hint: `Say which one: -c ${names[0] ?? 'NAME'}`,
  });
}
