// A pod of the small C server, and its restart as a user makes it: another run answers, and the pod is what it was.
import { expect } from 'vitest';
import { newcomer } from '../docker/programs/newcomer.ts';
import { kubectlHotexecJson, type Answered } from './hotexec.ts';
import { clusterImageOfProgram } from './image.ts';
import { podIdentity } from './in-place.ts';
import { podManifest, type Data } from './manifest.ts';
import { answersIn, startPod, type Pod } from './pod.ts';
import type { RestartResult } from '../../../src/protocol/result.ts';

export interface Described {
  /** Adds to the container, and to the pod's specification. */
  readonly container?: Data;
  readonly spec?: Data;
}

export async function startNewcomer(namespace: string, name: string, described: Described = {}): Promise<Pod> {
  const { container = {}, spec = {} } = described;
  const image = await clusterImageOfProgram(newcomer);
  return await startPod(namespace, podManifest(name, { image, ...container }, spec));
}

/** `WORDS...` as `restart` or `replace --with FILE`; it comes out well, and nothing of the pod is another. */
export async function expectChange(pod: Pod, ...words: readonly string[]): Promise<Answered<RestartResult>> {
  const before = await podIdentity(pod);
  const run = await answersIn(pod, newcomer);
  const [verb = '', ...flags] = words;
  const changed = await kubectlHotexecJson(verb, pod.name, '-n', pod.namespace, ...flags);
  expect(changed).toMatchObject({ exitCode: 0, result: { outcome: 'restarted', error: null } });
  expect(await answersIn(pod, newcomer)).not.toBe(run);
  expect(await podIdentity(pod)).toEqual(before);
  return changed;
}
