// Pods as the API server tells them, with what a test does not care about left out.
import * as v from 'valibot';
import { podSchema, type Container, type Pod } from '../../../../src/targets/kubernetes/pod.ts';

export interface Told {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** With one container `app` that runs, unless the test says otherwise. */
export function podOf({ metadata = {}, spec = {}, status = {} }: Told = {}): Pod {
  return v.parse(podSchema, {
    metadata: { name: 'web-0', namespace: 'shop', uid: 'f00d', ...metadata },
    spec: { containers: [{ name: 'app' }], ...spec },
    status: { phase: 'Running', containerStatuses: [running('app')], ...status },
  });
}

/** A pod whose container `app` is that. */
export function podWith(container: object, told: Told = {}): Pod {
  return podOf({ ...told, spec: { containers: [{ name: 'app', ...container }], ...told.spec } });
}

export function running(name: string, more: object = {}): object {
  const state = { running: { startedAt: '2026-11-27T07:00:00Z' } };
  return { name, containerID: 'containerd://0123abc', state, ...more };
}

export function firstOf({ spec }: Pod): Container {
  const [first] = spec.containers;
  if (first === undefined) throw new Error('the pod has no container');
  return first;
}
