// What is named in a cluster: a pod, or the pods of a workload: the first of them in full, the others as far as they differ.
import { defaultRestartOptions } from '../../protocol/request.ts';
import type { AgentPlace } from '../../targets/kubernetes/agent.ts';
import { chooseContainer } from '../../targets/kubernetes/container.ts';
import { refuseUnreachable, runningContainer } from '../../targets/kubernetes/find-pod.ts';
import { mainContainers, podName, type Container, type Pod } from '../../targets/kubernetes/pod.ts';
import { assessRestart } from '../../targets/kubernetes/probes/assess.ts';
import { podsOf, workloadName, type PodsOfTarget } from '../../targets/kubernetes/workload.ts';
import { each } from '../../targets/list/found.ts';
import { formatTarget, type ClusterTarget } from '../../targets/target.ts';
import type { Section } from '../diagnosis.ts';
import { no, yes, type Finding } from '../finding.ts';
import { agentOf } from './agent.ts';
import { nodeOf } from './node.ts';
import { blockedBy, withoutUsual, type ClusterSeen } from './seen.ts';

export async function sectionsOf(target: ClusterTarget, cluster: ClusterSeen): Promise<readonly Section[]> {
  const title = `Target ${formatTarget(target)}`;
  const found = await find(target, cluster);
  if (found.kind === 'refused') return [{ title, findings: [found.finding] }];
  const [first, ...others] = found.groups.flatMap(({ pods }) => pods);
  if (first === undefined) return [];
  const findings = await findingsOf(first, cluster);
  if (target.kind === 'pod') return [{ title, findings }];
  const more = await each(others, async (pod) => ({ pod, findings: await findingsOf(pod, cluster) }));
  return [
    { title, findings: found.groups.map(groupFinding) },
    { title: `Target ${podName(first)}`, findings },
    ...(more.length === 0
      ? []
      : [{ title: 'Target: the other pods', findings: more.flatMap((one) => beside(one, findings, first)) }]),
  ];
}

type FoundPods =
  | { readonly kind: 'found'; readonly groups: readonly PodsOfTarget[] }
  | { readonly kind: 'refused'; readonly finding: Finding };

async function find(target: ClusterTarget, { api }: ClusterSeen): Promise<FoundPods> {
  try {
    return { kind: 'found', groups: await podsOf(target, api) };
  } catch (error) {
    return { kind: 'refused', finding: blockedBy(error, target.kind === 'pod' ? 'pod' : 'pods', 'the Role below') };
  }
}

function groupFinding({ workload, pods }: PodsOfTarget): Finding {
  const names = pods.map(({ metadata }) => metadata.name).join(', ');
  const these = `${pods.length} ${pods.length === 1 ? 'pod' : 'pods'}: ${names}`;
  if (workload === null) return yes('pods', these);
  return yes(workload.type, `${workloadName(workload)} has ${these}; no rollout is under way`);
}

interface Looked {
  readonly pod: Pod;
  readonly findings: readonly Finding[];
}

/** Pure. Pods of one workload are alike: what the first one's findings have is not said again. */
export function beside({ pod, findings }: Looked, ofFirst: readonly Finding[], first: Pod): readonly Finding[] {
  const { name } = pod.metadata;
  const different = findings.filter(
    ({ subject, verdict }) =>
      verdict !== 'yes' && !ofFirst.some((one) => one.subject === subject && one.verdict === verdict),
  );
  if (different.length === 0) return [yes(name, `as ${first.metadata.name}`)];
  return different.map(({ subject, verdict, meaning, remedy, blocking }) => ({
    subject: name,
    verdict,
    meaning: `${subject}: ${meaning}`,
    remedy,
    blocking,
  }));
}

async function findingsOf(pod: Pod, cluster: ClusterSeen): Promise<readonly Finding[]> {
  const state = stateOf(pod);
  if (state.blocking) return [state];
  const chosen = containerOf(pod, cluster.container);
  const node = await nodeOf(pod, cluster.api);
  if (chosen.container === null) return [state, chosen.finding, ...node];
  const place = { pod, container: chosen.container };
  return [state, chosen.finding, probes(place), ...node, ...(await agentOf(place, cluster))];
}

/** Whether a restart without flags would be one that the pod's own probes let pass. Pure. */
export function probes({ pod, container }: AgentPlace): Finding {
  const subject = 'probes';
  const { refusals } = assessRestart({ name: podName(pod), pod, container }, defaultRestartOptions);
  const [first] = refusals;
  if (first === undefined) return yes(subject, 'nothing in them is against a restart without flags');
  return no(subject, withoutUsual(first.message), first.hint ?? `kubectl describe ${podName(pod)} shows them`);
}

/** Pure. */
export function stateOf(pod: Pod): Finding {
  try {
    refuseUnreachable(pod);
    return yes('pod', 'it runs, and an agent can be put into it');
  } catch (error) {
    return blockedBy(error, 'pod', 'name a pod that runs on Linux');
  }
}

interface Chosen {
  readonly finding: Finding;
  /** Null: none is meant. */
  readonly container: Container | null;
}

/** Pure. */
export function containerOf(pod: Pod, wanted: string | null): Chosen {
  const subject = 'container';
  try {
    const container = chooseContainer(pod, wanted);
    const { startedAt } = runningContainer(pod, container);
    const others = mainContainers(pod).filter(({ name }) => name !== container.name);
    const since = startedAt === null ? '' : `, since ${startedAt}`;
    const besides = others.length === 0 ? '' : `; beside it: ${others.map(({ name }) => name).join(', ')}`;
    return { finding: yes(subject, `${container.name} runs${since}${besides}`), container };
  } catch (error) {
    return { finding: blockedBy(error, subject, `kubectl describe ${podName(pod)} says more`), container: null };
  }
}
