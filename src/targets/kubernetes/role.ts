// The least that somebody must be allowed to use hotexec on the pods of one namespace. deploy/rbac.yaml and docs/security.md have the same.

const rules: readonly (readonly [group: string, resources: readonly string[], verbs: readonly string[]])[] = [
  ['', ['pods'], ['get', 'list', 'watch']],
  ['', ['pods/ephemeralcontainers'], ['patch']],
  ['', ['pods/exec'], ['get', 'create']],
  ['', ['events'], ['create']],
  ['apps', ['deployments', 'replicasets', 'statefulsets', 'daemonsets'], ['get', 'list']],
];

/** A Role, as YAML. */
export function leastRole(namespace: string): string {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    `metadata: {name: hotexec, namespace: ${namespace}}`,
    'rules:',
    ...rules.map(
      ([group, resources, verbs]) =>
        `- {apiGroups: ${list([group])}, resources: ${list(resources)}, verbs: ${list(verbs)}}`,
    ),
  ].join('\n');
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}
