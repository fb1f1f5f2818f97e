import { describe, expect, it } from 'vitest';
import { containerFate } from '../../../../src/targets/kubernetes/container-fate.ts';
import { podOf, running } from './pods.ts';

const known = { name: 'app', id: '0123abc', podUid: 'f00d' };
const terminated = { exitCode: 137, reason: 'OOMKilled', containerID: 'containerd://0123abc' };
const end = { exitCode: 137, reason: 'OOMKilled' };
const statuses = (...containerStatuses: readonly object[]): object => ({ status: { containerStatuses } });

describe('what has become of a container', () => {
  it.each([
    ['it runs, as far as the kubelet has told', podOf(), { kind: 'running' }],
    [
      'it has ended, and is not started again yet',
      podOf(statuses(running('app', { state: { terminated } }))),
      { kind: 'ended', end },
    ],
    [
      'it was started again',
      podOf(statuses(running('app', { containerID: 'containerd://4567', lastState: { terminated } }))),
      { kind: 'ended', end },
    ],
    [
      'it was started again more than once',
      podOf(
        statuses(
          running('app', {
            containerID: 'containerd://89ab',
            lastState: { terminated: { ...terminated, containerID: 'containerd://4567' } },
          }),
        ),
      ),
      { kind: 'ended', end: null },
    ],
    [
      'its pod is being deleted',
      podOf({ metadata: { deletionTimestamp: '2026-11-27T07:00:00Z' } }),
      { kind: 'stopped', why: 'being deleted' },
    ],
    ['its pod is gone', null, { kind: 'stopped', why: 'deleted' }],
    ['there is another pod of that name', podOf({ metadata: { uid: 'beef' } }), { kind: 'stopped', why: 'deleted' }],
    [
      'its pod was evicted',
      podOf({
        status: {
          phase: 'Failed',
          reason: 'Evicted',
          containerStatuses: [running('app', { state: { terminated } })],
        },
      }),
      { kind: 'stopped', why: 'Evicted' },
    ],
  ] as const)('%s', (_, pod, fate) => {
    expect(containerFate(pod, known)).toMatchObject(fate);
  });
});
