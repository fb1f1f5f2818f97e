// The namespace: whether it is there, and what its Pod Security admission says to the two kinds of agent
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
import { readNamespace } from '../../targets/kubernetes/namespace.ts';
import { blocked, no, unknown, yes, type Finding } from '../finding.ts';
import type { ClusterPlace } from './seen.ts';

export const admission: ClusterPlace = async ({ api }) => {
  const { namespace } = api.cluster;
  const found = await readNamespace(api);
  switch (found.kind) {
    case 'absent':
      return [blocked('namespace', `there is no namespace ${namespace}`, 'kubectl get namespaces lists them')];
    case 'unreadable':
      return [
        unknown(
          podSecurity,
          `you may not read the labels of namespace ${namespace}, which say what it admits`,
          'kubectl hotexec doctor POD asks by a dry run',
        ),
      ];
    case 'labelled':
      return [yes('namespace', namespace), ...judgeLabels(found.labels)];
  }
};

const podSecurity = 'Pod Security';
const ownUser = 'agent: own user';

/** Pure. */
export function judgeLabels(labels: Readonly<Record<string, string>>): readonly Finding[] {
  const level = labels['pod-security.kubernetes.io/enforce'];
  switch (level) {
    case undefined:
      return [yes(podSecurity, 'no level is enforced by the namespace itself; the cluster may have one for all')];
    case 'privileged':
      return [yes(podSecurity, 'privileged: both kinds of agent are admitted')];
    case 'baseline':
      return [
        yes(podSecurity, 'baseline'),
        yes(ownUser, "admitted: the program's own user, without any capability"),
        refused('what runs as root, or as a user that the API does not tell'),
      ];
    case 'restricted':
      return [
        yes(podSecurity, 'restricted'),
        yes(ownUser, "admitted: the program's own user, which is not root, without any capability"),
        refused('what runs as a user that the API does not tell, and where the node wants a capability'),
      ];
    default:
      return [
        unknown(
          podSecurity,
          `${level}, a level that hotexec does not know`,
          'kubectl hotexec doctor POD asks by a dry run',
        ),
      ];
  }
}

function refused(what: string): Finding {
  return no(
    'agent: SYS_PTRACE',
    `refused; it is for ${what}`,
    'runAsUser in the pod, or --agent-user UID:GID; or a namespace that admits it',
  );
}
