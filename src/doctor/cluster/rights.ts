// What RBAC lets us do in the namespace, right by right, as the API server itself answers it.
import { isInRole, rights, type Right, type RightUse } from '../../targets/kubernetes/role.ts';
import type { ServerVersion } from '../../targets/kubernetes/server.ts';
import { mayI, type Allowed } from '../../targets/kubernetes/who.ts';
import type { ClusterTarget } from '../../targets/target.ts';
import { blocked, no, unknown, yes, type Finding } from '../finding.ts';
import type { ClusterSeen } from './seen.ts';
import { isBefore } from './server.ts';

export interface AnsweredRight {
  readonly right: Right;
  readonly allowed: Allowed;
}

export async function askRights({
  api,
  target,
}: Pick<ClusterSeen, 'api' | 'target'>): Promise<readonly AnsweredRight[]> {
  return Promise.all(
    rights.map(async (right) => ({
      right,
      allowed: await mayI({ ...right, name: nameIn(right, target) }, api),
    })),
  );
}

/** A Role may be for some objects only; a list is never of one. */
function nameIn({ resource, verb }: Right, target: ClusterTarget | null): string | null {
  if (verb === 'list' || target === null || target.kind === 'selected') return null;
  const own = target.kind === 'pod' ? 'pods' : `${target.type}s`;
  return resource.split('/')[0] === own ? target.name : null;
}

export interface RightsContext {
  readonly target: ClusterTarget | null;
  readonly version: ServerVersion | null;
}

/** Pure. */
export function rightFinding({ right, allowed }: AnsweredRight, context: RightsContext): Finding {
  const subject = `${right.verb} ${right.resource}`;
  const meaning = meaningOf(right);
  if (allowed === 'yes') return yes(subject, meaning);
  if (allowed === 'unknown') return unknown(subject, `the API server does not tell; ${meaning}`);
  const find = isNeeded(right, context) ? blocked : no;
  return find(subject, `not allowed: ${meaning}`, isInRole(right) ? 'the Role below' : annotationRemedy);
}

const annotationRemedy = 'patch of pods, if it is wanted; whoever may do that may change their images, too';

function meaningOf({ resource, verb }: Right): string {
  switch (`${verb} ${resource}`) {
    case 'get pods':
      return 'to find the pod';
    case 'patch pods/ephemeralcontainers':
      return 'to put the agent into the pod';
    case 'get pods/exec':
      return 'to reach the agent';
    case 'create pods/exec':
      return 'to reach the agent, from Kubernetes 1.35 on';
    case 'list pods':
      return 'to find the pods of a workload, and for ls';
    case 'list replicasets':
      return "to find a deployment's own pods";
    case 'create events':
      return 'to leave an Event that tells what was done';
    case 'patch pods':
      return 'to leave an annotation, from which ls knows what was changed';
    default:
      return `to find ${resource} by ${verb === 'get' ? 'name' : 'labels'}`;
  }
}

/** Without it what is asked for is not possible. Pure. */
export function isNeeded({ use, resource, verb }: Right, { target, version }: RightsContext): boolean {
  switch (use) {
    case 'pod':
      return !(resource === 'pods/exec' && verb === 'create' && isBefore(version, 35));
    case 'workload':
      return target !== null && target.kind !== 'pod' && isForTarget(resource, verb, target);
    case 'event':
    case 'annotation':
      return false;
  }
}

function isForTarget(
  resource: string,
  verb: string,
  target: Exclude<ClusterTarget, { readonly kind: 'pod' }>,
): boolean {
  if (resource === 'pods') return true;
  if (resource === 'replicasets') return target.type === 'deployment';
  return resource === `${target.type}s` && verb === (target.kind === 'selected' ? 'list' : 'get');
}

export const rightSections: readonly { readonly title: string; readonly uses: readonly RightUse[] }[] = [
  { title: 'Rights', uses: ['pod'] },
  { title: 'Rights for workloads', uses: ['workload'] },
  { title: 'Rights used where they are given', uses: ['event', 'annotation'] },
];

/** Whether the least Role would change something. */
export function lacksRole(answers: readonly AnsweredRight[]): boolean {
  return answers.some(({ right, allowed }) => allowed === 'no' && isInRole(right));
}
