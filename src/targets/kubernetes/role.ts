// What somebody must be allowed to use hotexec on the pods of one namespace: the one list that the Role, the doctor, deploy/rbac.yaml and
// docs/security.md have in common.

/** One verb on one resource, as RBAC has it. */
export interface Right {
  /** The API group; empty: the core. */
  readonly group: string;
  /** With its subresource: `pods/exec`. */
  readonly resource: string;
  readonly verb: string;
  readonly use: RightUse;
}

/**
 * `pod`: nothing is restarted without it. `workload`: what is named as a workload or by labels needs it.
 * `event`, `annotation`: what is left behind, where that is allowed.
 */
export type RightUse = 'pod' | 'workload' | 'event' | 'annotation';

interface Rule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly use: RightUse;
}

const rules: readonly Rule[] = [
  { group: '', resources: ['pods'], verbs: ['get'], use: 'pod' },
  { group: '', resources: ['pods/ephemeralcontainers'], verbs: ['patch'], use: 'pod' },
  // An exec by WebSocket is a get; Kubernetes 1.35 asks for create as well.
  { group: '', resources: ['pods/exec'], verbs: ['get', 'create'], use: 'pod' },
  { group: '', resources: ['pods'], verbs: ['list'], use: 'workload' },
  { group: 'apps', resources: ['deployments', 'statefulsets', 'daemonsets'], verbs: ['get', 'list'], use: 'workload' },
  { group: 'apps', resources: ['replicasets'], verbs: ['list'], use: 'workload' },
  { group: '', resources: ['events'], verbs: ['create'], use: 'event' },
  // Not in the Role: whoever may patch a pod may change its image and labels, too.
  { group: '', resources: ['pods'], verbs: ['patch'], use: 'annotation' },
];

export const rights: readonly Right[] = rules.flatMap(({ group, resources, verbs, use }) =>
  resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb, use }))),
);

const roleName = 'hotexec';

/** Whether the Role has it. */
export function isInRole({ use }: Pick<Right, 'use'>): boolean {
  return use !== 'annotation';
}

/** The least Role, as YAML. */
export function leastRole(namespace: string): string {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    `metadata: {name: ${roleName}, namespace: ${namespace}}`,
    'rules:',
    ...together(rules.filter(isInRole)).map(
      ({ group, resources, verbs }) =>
        `- {apiGroups: ${list([group])}, resources: ${list(resources)}, verbs: ${list(verbs)}}`,
    ),
  ].join('\n');
}

/** All verbs on the same resources in one rule. */
function together(all: readonly Rule[]): readonly Rule[] {
  const byResources = Map.groupBy(all, ({ group, resources }) => [group, ...resources].join(' '));
  return [...byResources.values()].flatMap(([first, ...more]) =>
    first === undefined
      ? []
      : { group: first.group, resources: first.resources, use: first.use, verbs: verbsOf([first, ...more]) },
  );
}

function verbsOf(all: readonly Rule[]): readonly string[] {
  return all.flatMap(({ verbs }) => verbs);
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}

/** The same, and the RoleBinding that gives it to a user, as one document to apply. */
export function roleFor(user: string, namespace: string): string {
  return [
    leastRole(namespace),
    '---',
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: RoleBinding',
    `metadata: {name: ${JSON.stringify(bindingName(user))}, namespace: ${namespace}}`,
    `roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${roleName}}`,
    'subjects:',
    `- ${subjectOf(user)}`,
  ].join('\n');
}

/** One for each user: to apply it takes nothing from another. A name in RBAC is a segment of a path (ValidatePathSegmentName). */
function bindingName(user: string): string {
  return `${roleName}-${user.replaceAll(/[/%\s]/g, '-')}`;
}

function subjectOf(user: string): string {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  if (namespace !== undefined && name !== undefined)
    return `{kind: ServiceAccount, namespace: ${JSON.stringify(namespace)}, name: ${JSON.stringify(name)}}`;
  return `{apiGroup: rbac.authorization.k8s.io, kind: User, name: ${JSON.stringify(user)}}`;
}
