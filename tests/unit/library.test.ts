// What the library refuses of its own, before an engine is started or a cluster asked; what it does is tested on real targets.
import { describe, expect, it } from 'vitest';
import { kubernetesOptions } from '../../src/connect/kubernetes-options.ts';
import {
  inspect,
  plan,
  replace,
  restart,
  rollback,
  type KubernetesOptions,
  type RestartList,
} from '../../src/index.ts';
import { policyOf } from '../../src/rollout/options.ts';
import { errorOfList } from '../../src/rollout/result.ts';
import { restartResult } from '../support/samples.ts';

function imageOf(wanted: KubernetesOptions, env: Record<string, string>): string | null {
  return kubernetesOptions(wanted, { env, force: false, timeoutMs: 1 }).agent.image;
}

describe('an option for pods', () => {
  it.each([
    ['restart', async () => restart('docker/web', { kubernetes: {} }), 'kubernetes'],
    ['restart', async () => restart('1', { hooks: true }), 'hooks'],
    ['replace', async () => replace('cri/abc', { with: '/bin/sh', hooks: true }), 'hooks'],
    ['rollback', async () => rollback('containerd/abc', { kubernetes: { namespace: 'shop' } }), 'kubernetes'],
    ['plan', async () => plan('pid/1', { hooks: true }), 'hooks'],
    ['inspect', async () => inspect('docker/web', { kubernetes: {} }), 'kubernetes'],
  ])('is refused where the target is none: %s', async (_, ask, option) => {
    await expect(ask()).rejects.toMatchObject({
      code: 'usage',
      message: `${option} is for pods, and the target is none.`,
    });
  });

  it.each<[KubernetesOptions, string]>([
    [{ namespace: '../x' }, 'namespace: "../x" is not a name as Kubernetes has them.'],
    [{ container: '' }, 'container: "" is not a name as Kubernetes has them.'],
    [{ asGroups: ['x'] }, 'asGroups are for a user that is impersonated, and there is no `as`.'],
    [{ agent: { ttlMs: 1 } }, 'agent.ttlMs: 1 is not a time from 1000 to 604800000.'],
    [{ agent: { ttlMs: Number.NaN } }, 'agent.ttlMs: NaN is not a time from 1000 to 604800000.'],
    [{ agent: { user: { uid: -1 } } }, 'agent.user: {"uid":-1} has a number that is no id.'],
    [{ kubeconfig: '/nowhere' }, '--kubeconfig "/nowhere": there is no such file here.'],
  ])('that makes no sense is refused: %j', async (kubernetes, message) => {
    await expect(restart('pod/web', { kubernetes })).rejects.toMatchObject({ code: 'usage', message });
  });

  it('takes the image of the agent from the environment where it is not said', () => {
    expect(imageOf({}, {})).toBeNull();
    expect(imageOf({}, { HOTEXEC_AGENT_IMAGE: 'a' })).toBe('a');
    expect(imageOf({ agent: { image: 'b' } }, { HOTEXEC_AGENT_IMAGE: 'a' })).toBe('b');
  });
});

describe('how many pods at once', () => {
  it('is one, a number, or a share', () => {
    expect(policyOf({})(4)).toEqual({ atOnce: 1, pauseMs: 0, continueOnError: false });
    const wanted = { maxUnavailable: '50%', pauseMs: 5, continueOnError: true } as const;
    expect(policyOf(wanted)(4)).toEqual({ atOnce: 2, pauseMs: 5, continueOnError: true });
  });

  it.each([
    [{ maxUnavailable: 0 }, 'maxUnavailable: 0 is neither a number nor a percentage above 0.'],
    [{ maxUnavailable: '101%' } as const, 'maxUnavailable: "101%" is neither a number nor a percentage above 0.'],
    [{ pauseMs: -1 }, 'pauseMs: -1 is not a time from 0 to 86400000.'],
  ])('is refused where it makes no sense: %j', async (options, message) => {
    await expect(restart('deployment/web', options)).rejects.toMatchObject({ code: 'usage', message });
  });
});

describe('the error of many pods', () => {
  const good = { ...restartResult, target: 'pod/web-2' };
  const error = { code: 'not-permitted', message: 'pod/web-1: no.', hint: 'ask' } as const;
  const bad = { apiVersion: 'hotexec/v1', kind: 'Error', target: 'pod/web-1', outcome: null, error } as const;
  const list: RestartList = {
    apiVersion: 'hotexec/v1',
    kind: 'List',
    target: 'statefulset/web',
    items: [good],
    untouched: [],
    skipped: [],
    appeared: [],
    warnings: [],
    timingsMs: { total: 1 },
  };

  it('is none where all were restarted', () => {
    expect(errorOfList(list)).toBeNull();
  });

  it.each([
    [
      'one failed',
      { items: [good, bad], untouched: ['pod/web-0'] },
      ['pods-failed', 'statefulset/web: 1 of 3 pods failed. pod/web-1: no. Untouched: pod/web-0.'],
    ],
    [
      'it was cancelled before the first',
      { items: [], untouched: ['pod/web-0'] },
      ['cancelled', 'statefulset/web: 1 of 1 pods were not restarted. Untouched: pod/web-0.'],
    ],
    [
      'it was cancelled after the first',
      { untouched: ['pod/web-0'] },
      ['pods-failed', 'statefulset/web: 1 of 2 pods were not restarted. Untouched: pod/web-0.'],
    ],
    [
      'there was none any more',
      { items: [], skipped: [{ target: 'pod/web-0', why: 'it was deleted' }] },
      ['target-not-found', 'statefulset/web: 1 of 1 pods were not restarted.'],
    ],
  ])('has the list, and says what to know: %s', (_, differences, [code, message]) => {
    const all = { ...list, ...differences };
    expect(errorOfList(all)).toMatchObject({ code, message, list: all });
  });
});
