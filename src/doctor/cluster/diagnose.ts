// All places of a cluster, in the order in which they are printed. It asks and changes nothing: what it sends are reviews and dry runs.
import { HotexecError } from '../../errors.ts';
import { ApiError } from '../../targets/kubernetes/api.ts';
import { isImpersonation, mayNotImpersonate } from '../../targets/kubernetes/refusal.ts';
import { leastRole, roleFor } from '../../targets/kubernetes/role.ts';
import { readServer, type Server } from '../../targets/kubernetes/server.ts';
import { whoAmI, type Who } from '../../targets/kubernetes/who.ts';
import { formatTarget } from '../../targets/target.ts';
import { isPossible, type Diagnosis, type Section } from '../diagnosis.ts';
import { blocked, type Finding } from '../finding.ts';
import { admission } from './admission.ts';
import { identity } from './identity.ts';
import { askRights, lacksRole, rightFinding, rightSections } from './rights.ts';
import { blockedBy, type ClusterAsked, type ClusterSeen } from './seen.ts';
import { apiServer } from './server.ts';
import { sectionsOf } from './target.ts';

export async function diagnoseCluster(asked: ClusterAsked): Promise<Diagnosis> {
  const met = await meet(asked);
  if (met.kind === 'refused') return diagnosis(asked, [{ title: 'Cluster', findings: [met.finding] }], null);
  const seen: ClusterSeen = { ...asked, ...met };
  const { target, server } = seen;
  const { namespace } = seen.api.cluster;
  const [answers, admitted, ofTarget] = await Promise.all([
    askRights(seen),
    admission(seen),
    target === null ? [] : sectionsOf(target, seen),
  ]);
  const sections: readonly Section[] = [
    { title: 'Cluster', findings: [...(await apiServer(seen)), ...(await identity(seen))] },
    ...rightSections.map(({ title, uses }) => ({
      title,
      findings: answers
        .filter(({ right }) => uses.includes(right.use))
        .map((answer) => rightFinding(answer, { target, version: server.version })),
    })),
    { title: 'Namespace', findings: admitted },
    ...ofTarget,
  ];
  return diagnosis(asked, sections, lacksRole(answers) ? role(seen.who, namespace) : null);
}

type Met =
  | { readonly kind: 'met'; readonly server: Server; readonly who: Who | null }
  | { readonly kind: 'refused'; readonly finding: Finding };

async function meet({ api }: ClusterAsked): Promise<Met> {
  try {
    const [server, who] = await Promise.all([readServer(api), whoAmI(api)]);
    return { kind: 'met', server, who };
  } catch (error) {
    if (error instanceof ApiError) return { kind: 'refused', finding: notLetIn(error) };
    const isLogin = error instanceof HotexecError && error.code === 'not-permitted';
    return {
      kind: 'refused',
      finding: blockedBy(error, isLogin ? 'login' : 'API server', 'kubectl cluster-info asks the same server'),
    };
  }
}

function notLetIn(error: ApiError): Finding {
  const subject = 'who asks';
  if (isImpersonation(error)) return blocked(subject, mayNotImpersonate(error), 'without --as you are yourself');
  return blocked(
    subject,
    'the API server does not know who is asking (401 Unauthorized)',
    'log in again; kubectl auth whoami shows what the kubeconfig says you are',
  );
}

/** Of somebody who is not known the binding is theirs to write. */
function role(who: Who | null, namespace: string): string {
  return who === null || who.user === 'system:anonymous' ? leastRole(namespace) : roleFor(who.user, namespace);
}

function diagnosis({ api, target }: ClusterAsked, sections: readonly Section[], yaml: string | null): Diagnosis {
  const { server, namespace } = api.cluster;
  return {
    target: target === null ? null : { name: formatTarget(target), pid: null },
    cluster: { server, namespace, role: yaml },
    possible: isPossible(sections),
    sections,
  };
}
