import { describe, expect, it } from 'vitest';
import { chooseContainer } from '../../../../src/targets/kubernetes/container.ts';
import { refuseUnreachable, runningContainer } from '../../../../src/targets/kubernetes/find-pod.ts';
import { memoryLimit } from '../../../../src/targets/kubernetes/memory.ts';
import { programSpec } from '../../../../src/targets/kubernetes/program-spec.ts';
import { firstOf, podOf, podWith, running } from './pods.ts';

describe('chooseContainer', () => {
  const two = { spec: { containers: [{ name: 'app' }, { name: 'side' }] } };
  const sidecar = { spec: { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }, { name: 'setup' }] } };
  const annotated = { ...two, metadata: { annotations: { 'kubectl.kubernetes.io/default-container': 'side' } } };

  it.each([
    [podOf(), null, 'app'],
    [podOf(two), 'side', 'side'],
    [podOf(annotated), null, 'side'],
    [podOf(sidecar), null, 'app'],
    [podOf(sidecar), 'proxy', 'proxy'],
  ])('takes the default, the only one, or the one that is named: %#', (pod, wanted, name) => {
    expect(chooseContainer(pod, wanted).name).toBe(name);
  });

  it.each([
    [podOf(two), null, /has several containers: app, side\./],
    [podOf(two), 'sdie', /"sdie" is none of its containers; it has app, side\./],
    [podOf(sidecar), 'setup', /"setup" is an init container/],
    [
      podOf({ ...two, metadata: { annotations: { 'kubectl.kubernetes.io/default-container': 'gone' } } }),
      null,
      /its annotation .* names "gone"/,
    ],
  ])('refuses %#', (pod, wanted, message) => {
    expect(() => chooseContainer(pod, wanted)).toThrow(message);
  });
});

describe('programSpec', () => {
  it.each([
    [{}, null],
    [{ args: ['-v'] }, null],
    [{ command: ['/app'], args: ['-v'] }, ['/app', '-v']],
    [
      {
        command: ['/app', '$(A)-$(B)'],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)2' },
        ],
      },
      ['/app', '1-12'],
    ],
    [{ command: ['/app', '$$(A)', '$$$(A)'], env: [{ name: 'A', value: '1' }] }, ['/app', '$(A)', '$1']],
    [{ command: ['/app', '$(A)'], env: [{ name: 'A', valueFrom: { secretKeyRef: {} } }] }, null],
    [{ command: ['/app', '$(SERVICE_HOST)'] }, null],
    [{ command: ['/app', '$(', 'a$'] }, ['/app', '$(', 'a$']],
  ])('the command of %j is %j', (container, args) => {
    expect(argsOf(container)).toEqual(args);
  });

  it('tells what the pod tells, and null for the rest', () => {
    const pod = podWith(
      {
        workingDir: '/srv',
        tty: true,
        lifecycle: { stopSignal: 'SIGQUIT' },
        securityContext: { allowPrivilegeEscalation: false, seccompProfile: { type: 'Unconfined' } },
      },
      {
        spec: { terminationGracePeriodSeconds: 7 },
        status: {
          containerStatuses: [running('app', { user: { linux: { uid: 5, gid: 6, supplementalGroups: [7] } } })],
        },
      },
    );
    expect(programSpec(pod, firstOf(pod))).toEqual({
      source: 'api',
      args: null,
      env: null,
      cwd: '/srv',
      user: { uid: 5, gid: 6, additionalGids: [7], umask: null },
      terminal: true,
      noNewPrivileges: true,
      oomScoreAdj: null,
      capabilities: null,
      rlimits: null,
      seccomp: false,
      personality: null,
      stopSignal: 'SIGQUIT',
      stopTimeoutSeconds: 7,
    });
  });
});

describe('what cannot be reached', () => {
  it.each([
    [{ metadata: { deletionTimestamp: '2026-11-27T07:00:00Z' } }, 'stopped-by-other', /is being deleted/],
    [{ metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }, 'not-permitted', /is a static pod/],
    [{ spec: { os: { name: 'windows' } } }, 'architecture-unsupported', /runs on Windows/],
    [{ spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }, 'architecture-unsupported', /runs on Windows/],
    [{ status: { phase: 'Pending', reason: 'Unschedulable' } }, 'target-not-found', /it is Pending \(Unschedulable\)/],
    [{ status: { phase: 'Succeeded' } }, 'target-not-found', /it is Succeeded/],
  ])('%j', (told, code, message) => {
    expect(() => refuseUnreachable(podOf(told))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  it('a container that does not run', () => {
    const state = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
    const pod = podOf({ status: { containerStatuses: [{ name: 'app', state }] } });
    expect(() => runningContainer(pod, { name: 'app' })).toThrow(/does not run \(CrashLoopBackOff: back-off\)/);
    expect(runningContainer(podOf(), { name: 'app' })).toEqual({
      id: '0123abc',
      runtime: 'containerd',
      startedAt: '2026-11-27T07:00:00Z',
    });
  });
});

describe('memoryLimit', () => {
  it.each([
    ['no limit', podOf(), null],
    ['one', podWith(limited('128Mi')), 134_217_728],
    ['in digits', podWith(limited('1e9')), 1e9],
    ['as a number', podWith(limited(4096)), 4096],
    ['in half gigabytes', podWith(limited('0.5G')), 5e8],
    ['that is none', podWith(limited('lots')), null],
    ['of the pod', podOf({ spec: limited('64Mi') }), 67_108_864],
    ['of one of two', podOf({ spec: { containers: [{ name: 'a', ...limited('1Ki') }, { name: 'b' }] } }), null],
    [
      'of both, and of a sidecar',
      podOf({
        spec: {
          containers: [
            { name: 'a', ...limited('1Ki') },
            { name: 'b', ...limited('2Ki') },
          ],
          initContainers: [{ name: 's', restartPolicy: 'Always', ...limited('4Ki') }, { name: 'i' }],
        },
      }),
      7168,
    ],
  ])('%s', (_what, pod, bytes) => {
    expect(memoryLimit(pod)).toBe(bytes);
  });
});

function argsOf(container: object): unknown {
  const pod = podWith(container);
  return programSpec(pod, firstOf(pod)).args;
}

function limited(memory: string | number): object {
  return { resources: { limits: { memory } } };
}
