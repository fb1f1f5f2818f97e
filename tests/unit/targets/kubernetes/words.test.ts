import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/targets/kubernetes/api.ts';
import { forbidderOf, refusalOf } from '../../../../src/targets/kubernetes/refusal.ts';
import { eventMessage } from '../../../../src/targets/kubernetes/trace.ts';
import { rolloutUnderWay, type Workload } from '../../../../src/targets/kubernetes/workload.ts';
import { restartResult } from '../../../support/samples.ts';
import { podOf } from './pods.ts';

// As Kubernetes 1.34 says them.
const rbac =
  'pods "web-0" is forbidden: User "jane" cannot patch resource "pods/ephemeralcontainers" in API group "" in the namespace "shop"';
const podSecurity =
  'pods "web-0" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "hotexec-0-1-0-1" must not include "SYS_PTRACE")';
const webhook = 'admission webhook "validate.kyverno.svc-fail" denied the request: no debuggers here';
const policy = `pods "web-0" is forbidden: ValidatingAdmissionPolicy 'no-agents' with binding 'no-agents' denied request: nobody debugs here`;

describe('forbidderOf', () => {
  it.each([
    [403, rbac, { kind: 'rbac' }],
    [403, podSecurity, { kind: 'pod-security', level: 'restricted:latest' }],
    [403, webhook, { kind: 'admission' }],
    [400, webhook, { kind: 'admission' }],
    [422, policy, { kind: 'admission' }],
    [403, 'forbidden by something else', { kind: 'admission' }],
  ])('%i %s', (status, message, forbidder) => {
    expect(forbidderOf({ status, message })).toMatchObject(forbidder);
  });

  it('knows what is no refusal of anybody', () => {
    expect(forbidderOf({ status: 404, message: 'not found' })).toBeNull();
    expect(forbidderOf({ status: 500, message: 'etcdserver: request timed out' })).toBeNull();
  });
});

describe('refusalOf', () => {
  const asking = { target: 'pod/web-0', namespace: 'shop', what: 'patch pods/ephemeralcontainers' };

  it('prints the least Role to who lacks a right', () => {
    const error = refusalOf(new ApiError({ status: 403, reason: 'Forbidden', message: rbac }), asking);
    expect(error).toMatchObject({ code: 'not-permitted', exitCode: 5 });
    expect(error.details['role']).toContain('resources: ["pods/ephemeralcontainers"], verbs: ["patch"]');
    expect(error.details['role']).toContain('namespace: shop');
  });

  it.each([
    [401, 'not-permitted', /does not know who is asking/],
    [404, 'target-not-found', /there is no such thing in namespace shop/],
    [503, 'runtime-unreachable', /refused to patch pods\/ephemeralcontainers: away/],
    [409, 'not-permitted', /refused to patch pods\/ephemeralcontainers: away/],
  ])('of status %i', (status, code, message) => {
    const error = refusalOf(new ApiError({ status, reason: '', message: 'away' }), asking);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(error.message).toContain('Nothing was touched.');
  });
});

describe('rolloutUnderWay', () => {
  it.each([
    ['all is as it should be', workload('deployment', {}, {}), null],
    [
      'the last change was not seen',
      workload('deployment', {}, { observedGeneration: 0 }),
      /has not seen the last change/,
    ],
    ['some pods are old', workload('deployment', {}, { updatedReplicas: 1 }), /1 of 3 pods are new/],
    ['old ones are left', workload('deployment', {}, { replicas: 4 }), /1 old pods are left/],
    ['a stateful set with a partition', workload('statefulset', { partition: 2 }, { updatedReplicas: 1 }), null],
    ['a stateful set half through', workload('statefulset', {}, { updatedReplicas: 1 }), /1 of 3 pods are new/],
    [
      'pods are replaced by hand',
      workload('statefulset', { updateStrategy: 'OnDelete' }, { updatedReplicas: 0 }),
      null,
    ],
    ['a daemon set half through', workload('daemonset', {}, { updatedNumberScheduled: 1 }), /1 of 2 pods are new/],
  ])('%s', (_what, one, why) => {
    const told = rolloutUnderWay(one);
    expect(told ?? 'none').toMatch(why ?? /^none$/);
  });
});

describe('eventMessage', () => {
  it('names what was done, the operation and digests, and no argument', () => {
    const files = [{ path: '/app', change: 'replaced', digest: 'ab12', sizeBytes: 1, keptAs: null }] as const;
    const message = eventMessage({ verb: 'replace', container: 'app', result: { ...restartResult, files } });
    expect(message).toBe(
      `Main process of container app: replaced in place; operation ${restartResult.operationId}; /app sha256:ab12`,
    );
    for (const word of restartResult.before.argv) expect(message).not.toContain(` ${word} `);
  });

  it('fits an Event', () => {
    const file = { path: `/${'x'.repeat(300)}`, change: 'created', digest: 'ab', sizeBytes: 1, keptAs: null } as const;
    const result = { ...restartResult, files: [file, file, file, file] };
    expect(eventMessage({ verb: 'restart', container: 'app', result }).length).toBeLessThanOrEqual(1000);
  });
});

function workload(type: Workload['type'], spec: object, status: object): Workload {
  return {
    type,
    metadata: { ...podOf().metadata, generation: 1 },
    spec: { replicas: 3, minReadySeconds: 0, selector: 'app=web', updateStrategy: null, partition: 0, ...spec },
    status: {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      desiredNumberScheduled: 2,
      updatedNumberScheduled: 2,
      ...status,
    },
  };
}
