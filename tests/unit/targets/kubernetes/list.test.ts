import { describe, expect, it } from 'vitest';
import { changeOf } from '../../../../src/targets/kubernetes/change.ts';
import { containersOf } from '../../../../src/targets/kubernetes/list.ts';
import { firstOf, podOf, running, type Told } from './pods.ts';

const change = {
  verb: 'restart',
  at: '2026-11-27T07:05:00Z',
  operationId: 'op-1',
  container: '0123abc',
};

describe('changeOf', () => {
  it.each([
    ['nothing was done', undefined, null],
    ['the container is the one that was changed', JSON.stringify(change), change],
    ['the kubelet has started another since', JSON.stringify({ ...change, container: '9999' }), null],
    ['somebody else wrote it', 'yes', null],
    ['somebody else wrote JSON', '{"verb": 1}', null],
  ])('%s', (_what, value, expected) => {
    const annotations = value === undefined ? {} : { 'hotexec.io/app': value };
    const pod = podOf({ metadata: { annotations } });
    expect(changeOf(pod, firstOf(pod))).toEqual(expected);
  });
});

describe('containersOf', () => {
  const live = { running: { startedAt: '2026-11-27T07:00:00Z' } };

  it.each([
    ['runs', withAgent('hotexec-0-1-0-2', live), { name: 'hotexec-0-1-0-2', state: 'running' }],
    [
      'waits for its image',
      withAgent('hotexec-0-1-0-2', { waiting: {} }),
      { name: 'hotexec-0-1-0-2', state: 'starting' },
    ],
    ['has ended', withAgent('hotexec-0-1-0-2', { terminated: { exitCode: 0 } }), null],
    ['is of another container', withAgent('hotexec-0-1-0-2', live, 'other'), null],
    ["is somebody's debugger", withAgent('debugger-x7k2p', live), null],
  ])('the agent %s', (_what, told, expected) => {
    expect(containersOf(podOf(told)).map(({ listed }) => listed.agent)).toEqual([expected]);
  });

  it('has sidecars, and neither init containers that are done nor what does not run', () => {
    const spec = {
      containers: [{ name: 'app' }, { name: 'broken' }],
      initContainers: [{ name: 'setup' }, { name: 'beside', restartPolicy: 'Always' }],
    };
    const status = {
      containerStatuses: [running('app'), { name: 'broken', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      initContainerStatuses: [{ name: 'setup', state: { terminated: { exitCode: 0 } } }, running('beside')],
    };
    expect(containersOf(podOf({ spec, status })).map(({ listed }) => listed.container)).toEqual(['app', 'beside']);
  });

  it.each([
    ['that is being deleted', { metadata: { deletionTimestamp: '2026-11-27T07:00:00Z' } }],
    ['that is static', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }],
    ['that is over', { status: { phase: 'Succeeded' } }],
  ])('has nothing of a pod %s', (_what, told) => {
    expect(containersOf(podOf(told))).toEqual([]);
  });
});

function withAgent(name: string, state: object, targetContainerName = 'app'): Told {
  return {
    spec: { containers: [{ name: 'app' }], ephemeralContainers: [{ name, targetContainerName }] },
    status: { containerStatuses: [running('app')], ephemeralContainerStatuses: [{ name, state }] },
  };
}
