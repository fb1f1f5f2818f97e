import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import { formatTarget, parseTarget } from '../../../src/targets/target.ts';

describe('parseTarget', () => {
  it.each([
    ['1234', { kind: 'pid', pid: 1234 }],
    ['pid/1234', { kind: 'pid', pid: 1234 }],
    ['docker/web', { kind: 'docker', name: 'web' }],
    ['docker/shop_web-1.eu', { kind: 'docker', name: 'shop_web-1.eu' }],
    ['pod/web', { kind: 'pod', name: 'web' }],
    ['deploy/web', { kind: 'workload', type: 'deployment', name: 'web' }],
    ['cri/4f5a', { kind: 'cri', id: '4f5a' }],
    ['containerd/web_1', { kind: 'containerd', id: 'web_1', namespace: null }],
    ['containerd/k8s.io/4f5a', { kind: 'containerd', id: '4f5a', namespace: 'k8s.io' }],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    ['', 'The target is empty.'],
    ['web', '"web" does not say what it is.'],
    ['docker', '"docker" is a kind of target, and its name is missing.'],
    ['docker/', '"" is not the name or id of a Docker container.'],
    ['docker/../../info', '"../../info" is not the name or id of a Docker container.'],
    ['docker/a b', '"a b" is not the name or id of a Docker container.'],
    ['podman/web', '"podman/web" is no target hotexec knows.'],
    ['cri/', '"" is not the id of a container.'],
    ['cri/../x', '"../x" is not the id of a container.'],
    ['containerd/', '"" is not the id of a container of containerd.'],
    ['containerd/a/b/c', '"a/b/c" is not the id of a container of containerd.'],
    ['0', '"0" is not a pid: those are 1 to 4194304.'],
    ['pid/4194305', '"4194305" is not a pid: those are 1 to 4194304.'],
    ['pid/-1', '"-1" is not a pid: those are 1 to 4194304.'],
    ['pod/', '"pod/" names no pod.'],
  ])('refuses %j and says why', (text, message) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'usage', message }) as Error);
  });

  it('suggests what a bare name may have meant', () => {
    expect(() => parseTarget('web')).toThrow(
      expect.objectContaining({ hint: 'A Docker container is named docker/web, a pod pod/web.' }) as Error,
    );
  });

  it('reads what formatTarget prints, and fails on nothing but by a usage error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((name) => `docker/${name}`),
          fc.string().map((name) => `cri/${name}`),
          fc.string().map((name) => `containerd/${name}`),
        ),
        (text) => {
          expect(readsBackOrRefuses(text)).toBe(true);
        },
      ),
    );
  });
});

function readsBackOrRefuses(text: string): boolean {
  try {
    const target = parseTarget(text);
    return isDeepStrictEqual(parseTarget(formatTarget(target)), target);
  } catch (error) {
    return error instanceof HotexecError;
  }
}
