import { expect, it } from 'vitest';
import { readTarget, type TargetFlags } from '../../../src/cli/open-target.ts';

const read = (words: readonly string[], flags: Partial<TargetFlags>): unknown =>
  readTarget({ words, flags: { asGroup: [], ...flags } }, { program: 'hotexec' });

it.each<[readonly string[], Partial<TargetFlags>, object]>([
  [
    ['pod', 'web-0'],
    { local: true, namespace: 'shop', container: 'app' },
    { kind: 'local-pod', name: 'web-0', namespace: 'shop', container: 'app', endpoint: null },
  ],
  [['cri/4f5a'], { runtimeEndpoint: '/run/c.sock' }, { kind: 'cri', id: '4f5a', endpoint: '/run/c.sock' }],
  [
    ['containerd/web'],
    { containerdNamespace: 'default' },
    { kind: 'containerd', id: 'web', namespace: 'default', endpoint: null },
  ],
  [
    ['containerd/default/web'],
    { containerdNamespace: 'default' },
    { kind: 'containerd', id: 'web', namespace: 'default', endpoint: null },
  ],
  [['pod/web-0'], {}, { kind: 'pod', name: 'web-0' }],
  [['docker/web'], {}, { kind: 'docker', name: 'web' }],
])('reads %j with %j', (words, flags, target) => {
  expect(read(words, flags)).toEqual(target);
});

it.each<[string, Partial<TargetFlags>, string]>([
  ['docker/web', { local: true }, '--local is for a pod.'],
  ['deployment/web', { local: true }, '--local is for a pod.'],
  ['cri/4f5a', { containerdNamespace: 'shop' }, '--containerd-namespace is for containerd/ID.'],
  ['docker/web', { runtimeEndpoint: '/x' }, '--runtime-endpoint is for cri/ID, containerd/ID and pod/NAME --local.'],
  [
    'containerd/a/web',
    { containerdNamespace: 'b' },
    'The target is in namespace a, and --containerd-namespace says b.',
  ],
])('refuses %s with %j', (word, flags, message) => {
  expect(() => read([word], flags)).toThrow(expect.objectContaining({ code: 'usage', message }) as Error);
});
