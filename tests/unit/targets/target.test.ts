import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import { resolve } from '../../../src/targets/resolve.ts';
import { formatTarget, parseTarget } from '../../../src/targets/target.ts';

describe('parseTarget', () => {
  it.each([
    ['1234', { kind: 'pid', pid: 1234 }],
    ['pid/1234', { kind: 'pid', pid: 1234 }],
    ['docker/web', { kind: 'docker', name: 'web' }],
    ['docker/shop_web-1.eu', { kind: 'docker', name: 'shop_web-1.eu' }],
    ['pod/web', { kind: 'pod', name: 'web' }],
    ['deploy/web', { kind: 'workload', type: 'deployment', name: 'web' }],
    ['containerd/4f5a', { kind: 'later', type: 'containerd', name: '4f5a' }],
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
        ),
        (text) => {
          expect(readsBackOrRefuses(text)).toBe(true);
        },
      ),
    );
  });
});

it('says of a target of a later version that it is not reached yet', async () => {
  await expect(resolve({ kind: 'later', type: 'cri', name: '4f5a' }, { env: {}, proc: '/proc' })).rejects.toMatchObject(
    {
      code: 'usage',
      message: 'cri/4f5a: this version of hotexec does not reach containers over CRI yet. Nothing was touched.',
    },
  );
});

function readsBackOrRefuses(text: string): boolean {
  try {
    const target = parseTarget(text);
    return isDeepStrictEqual(parseTarget(formatTarget(target)), target);
  } catch (error) {
    return error instanceof HotexecError;
  }
}
