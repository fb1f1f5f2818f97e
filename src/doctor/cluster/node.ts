// What a pod stands on: the system and the CPU of its node, its RuntimeClass, a user namespace of its own.
import { HotexecError } from '../../errors.ts';
import type { ClusterApi } from '../../targets/kubernetes/api.ts';
import type { Pod } from '../../targets/kubernetes/pod.ts';
import { readNode, runtimeHandler } from '../../targets/kubernetes/surroundings.ts';
import { unsuitable, type Surroundings } from '../../targets/kubernetes/unsuitable.ts';
import { unknown, yes, type Finding } from '../finding.ts';
import { blockedBy } from './seen.ts';

export async function nodeOf(pod: Pod, api: ClusterApi): Promise<readonly Finding[]> {
  const { nodeName, runtimeClassName } = pod.spec;
  const [node, handler] = await Promise.all([
    nodeName === null ? null : readNode(nodeName, api),
    runtimeClassName === null ? null : runtimeHandler(runtimeClassName, api),
  ]);
  return nodeFindings(pod, { node, handler });
}

/** Pure. */
export function nodeFindings(pod: Pod, around: Surroundings): readonly Finding[] {
  const { runtimeClassName, hostUsers } = pod.spec;
  const node = nodeFinding(pod, around);
  return [
    node,
    ...(runtimeClassName === null || node.blocking ? [] : [runtimeFinding(pod, runtimeClassName, around)]),
    ...(hostUsers === false ? [ownUserNamespace] : []),
  ];
}

function nodeFinding(pod: Pod, { node, handler }: Surroundings): Finding {
  const subject = 'node';
  const wrong = unsuitable(pod, { node, handler }, { force: true });
  if (wrong !== null) return blockedBy(new HotexecError(wrong), subject, 'name a pod on a node of Linux and amd64');
  const name = pod.spec.nodeName ?? 'its node';
  if (node === null)
    return unknown(subject, `you may not read nodes; of which system and CPU ${name} is shows when the agent starts`);
  return yes(subject, `${name} is of ${node.operatingSystem} and ${node.architecture}`);
}

function runtimeFinding(pod: Pod, name: string, { node, handler }: Surroundings): Finding {
  const subject = 'runtime';
  const wrong = unsuitable(pod, { node, handler }, { force: false });
  if (wrong !== null) return blockedBy(new HotexecError(wrong), subject, '--force tries it');
  return yes(subject, handler === null ? `RuntimeClass ${name}` : `RuntimeClass ${name}, of handler ${handler}`);
}

const ownUserNamespace = yes(
  'user namespace',
  'the pod has one of its own, and the agent is in the same: what it may do counts there',
);
