import { describe, expect, it } from 'vitest';
import { leastRole, rights, roleFor } from '../../../../src/targets/kubernetes/role.ts';

describe('the least Role', () => {
  it('is this, and nothing more', () => {
    expect(leastRole('shop')).toBe(
      [
        'apiVersion: rbac.authorization.k8s.io/v1',
        'kind: Role',
        'metadata: {name: hotexec, namespace: shop}',
        'rules:',
        '- {apiGroups: [""], resources: ["pods"], verbs: ["get", "list"]}',
        '- {apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"]}',
        '- {apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}',
        '- {apiGroups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets"], verbs: ["get", "list"]}',
        '- {apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"]}',
        '- {apiGroups: [""], resources: ["events"], verbs: ["create"]}',
      ].join('\n'),
    );
  });

  it('has each right but that to change pods', () => {
    const missing = rights.filter(({ use }) => use === 'annotation').map(({ verb, resource }) => `${verb} ${resource}`);
    expect(missing).toEqual(['patch pods']);
  });
});

describe('its RoleBinding', () => {
  it.each([
    ['jane', 'hotexec-jane', '{apiGroup: rbac.authorization.k8s.io, kind: User, name: "jane"}'],
    [
      'system:serviceaccount:ci:deployer',
      'hotexec-system:serviceaccount:ci:deployer',
      '{kind: ServiceAccount, namespace: "ci", name: "deployer"}',
    ],
    [
      // A name in RBAC has no slash.
      'https://login.example.com#a "b"',
      'hotexec-https:--login.example.com#a-"b"',
      String.raw`{apiGroup: rbac.authorization.k8s.io, kind: User, name: "https://login.example.com#a \"b\""}`,
    ],
  ])('is for %s alone', (user, name, subject) => {
    const yaml = roleFor(user, 'shop');
    expect(yaml.startsWith(`${leastRole('shop')}\n---\n`)).toBe(true);
    expect(yaml).toContain(`metadata: {name: ${JSON.stringify(name)}, namespace: shop}`);
    expect(yaml.endsWith(`subjects:\n- ${subject}`)).toBe(true);
  });
});
