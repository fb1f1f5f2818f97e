import { describe, expect, it } from 'vitest';
import { chooseById, chooseInPod, type PodChoice } from '../../../src/targets/cri/choose.ts';
import type { PodContainer } from '../../../src/targets/cri/look.ts';
import type { RuntimeApi, Sandbox } from '../../../src/targets/runtime/api.ts';
import { refusal } from '../../support/refusal.ts';

const api = {} as RuntimeApi;

function sandbox(name: string, more: Partial<Sandbox> = {}): Sandbox {
  return { id: `5${name}`, name, namespace: 'default', attempt: 0, ready: true, annotations: {}, ...more };
}

function container(
  id: string,
  pod: Sandbox,
  { name = 'app', state = 'running' }: Partial<Pick<PodContainer, 'name' | 'state'>> = {},
): PodContainer {
  return { id, sandboxId: pod.id, name, state, api, pod };
}

function known(containers: readonly PodContainer[], sandboxes: readonly (Sandbox | undefined)[] = []) {
  const pods = [...containers.map(({ pod }) => pod), ...sandboxes].filter((pod) => pod !== undefined);
  return [{ containers, sandboxes: [...new Map(pods.map((pod) => [pod.id, pod])).values()] }];
}

const anywhere = { namespace: null, container: null };

describe('a container by its id', () => {
  const web = sandbox('web');

  it('is the one whose id begins so, and clear', () => {
    const all = known([container('abc1', web), container('abd1', web, { name: 'side' })]);
    expect(chooseById('abd', all).name).toBe('side');
    expect(refusal(() => chooseById('ab', all))).toMatchObject({
      code: 'usage',
      message:
        'cri/ab is the beginning of several ids: abc1 (default/web/app), abd1 (default/web/side). Nothing was touched.',
    });
  });

  it('must run', () => {
    const all = known([container('abc1', web, { state: 'exited' })]);
    expect(refusal(() => chooseById('abc1', all))).toMatchObject({
      code: 'target-not-found',
      message: 'cri/abc1 does not run (exited). Nothing was touched.',
      hint: 'crictl logs abc1',
    });
  });
});

describe('a container by the names of its pod and itself', () => {
  it('is that of the sandbox that is in use', () => {
    const old = sandbox('web', { id: 'old', ready: false });
    const young = sandbox('web', { id: 'young', attempt: 1 });
    const all = known([container('a', old), container('b', young)]);
    expect(choose('web', all).id).toBe('b');
  });

  it('is the one that runs, where earlier ones have ended', () => {
    const web = sandbox('web');
    const all = known([
      container('a', web, { state: 'exited' }),
      container('b', web),
      container('c', web, { name: 'init', state: 'exited' }),
    ]);
    expect(choose('web', all).id).toBe('b');
    expect(choose('web', all, { container: 'app' }).id).toBe('b');
    expect(refusal(() => choose('web', all, { container: 'init' }))).toMatchObject({
      message: 'pod/web, container init does not run (exited). Nothing was touched.',
    });
  });

  it('is never an agent of hotexec, unless it is named', () => {
    const web = sandbox('web');
    const all = known([container('a', web, { name: 'hotexec-0-1-0-1' }), container('b', web)]);
    expect(choose('web', all).name).toBe('app');
  });

  it('is taken from the annotation only where there is one of that name', () => {
    const web = sandbox('web', { annotations: { 'kubectl.kubernetes.io/default-container': 'gone' } });
    const all = known([container('a', web), container('b', web, { name: 'side' })]);
    expect(refusal(() => choose('web', all))).toMatchObject({ code: 'usage', hint: 'Say which one: -c app' });
  });

  it('needs the namespace where two have such a pod', () => {
    const one = sandbox('web', { id: 'one' });
    const two = sandbox('web', { id: 'two', namespace: 'shop' });
    const all = known([container('a', one), container('b', two)]);
    expect(choose('web', all, { namespace: 'shop' }).id).toBe('b');
    expect(refusal(() => choose('web', all))).toMatchObject({
      code: 'usage',
      message: 'pod/web runs here in several namespaces: default, shop. Nothing was touched.',
      hint: 'Say which one: -n default',
    });
  });

  it('says so when none of them runs', () => {
    expect(refusal(() => choose('web', known([], [sandbox('web')])))).toMatchObject({
      message: 'pod/web: none of its containers runs. Nothing was touched.',
    });
  });
});

function choose(name: string, all: ReturnType<typeof known>, more: Partial<PodChoice> = {}): PodContainer {
  return chooseInPod({ ...anywhere, ...more, name }, all);
}
