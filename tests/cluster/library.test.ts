// hotexec as a library on a real cluster: only what the built package gives to who imports it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  HotexecEvent,
  Inspection,
  Plan,
  RestartList,
  RestartResult,
  RolloutEvent,
  Version,
} from '../../src/index.ts';
import type { EventLoop } from '../fixtures/library/event-loop.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { command, hooked, says } from '../support/cluster/hooked.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { podIdentity } from '../support/cluster/in-place.ts';
import { apply, podManifest } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { answersIn, startPod } from '../support/cluster/pod.ts';
import { podsWith, rolledOut } from '../support/cluster/workload.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { callLibrary } from '../support/library.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs, ...busybox.needs);
const namespace = namespaceForTests();
agentForTests();

const fixture = join(import.meta.dirname, '../fixtures/cluster/library.ts');

/** Fails where the library prints anything. */
async function call<Seen>(what: string, name: string, file = ''): Promise<Seen> {
  return JSON.parse(await callLibrary(fixture, what, namespace.name, name, file)) as Seen;
}

interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly result: RestartResult | null;
  readonly list: RestartList | null;
}

interface OfPod {
  readonly result: RestartResult;
  readonly events: readonly HotexecEvent[];
  readonly doing: readonly string[];
  readonly first: EventLoop;
  readonly second: EventLoop;
  readonly known: RestartResult;
}

test('a pod is restarted with its hooks, each phase told as an event, and the event loop of the caller goes on', async () => {
  const lifecycle = { preStop: command(says('preStop')), postStart: command(says('postStart')) };
  const pod = await startPod(namespace.name, await hooked('one', lifecycle));
  const before = await podIdentity(pod);
  const { result, events, doing, first, second, known } = await call<OfPod>('pod', pod.name);
  expect(result).toMatchObject({ kind: 'Restart', outcome: 'restarted', target: 'pod/one', error: null });
  expect(result.hooks).toMatchObject([{ end: 'succeeded' }, { end: 'succeeded' }]);
  const phases = events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
  expect(phases).toEqual(expect.arrayContaining(['observe', 'hold', 'drain', 'swap', 'probation', 'verify']));
  expect(events.filter(({ kind }) => kind.startsWith('hook'))).toHaveLength(4);
  expect(doing.join()).toContain('agent');
  expect(known).toEqual(result);
  expect(await podIdentity(pod)).toEqual(before);
  // The first call loads what reaches a cluster. No wait of the work itself stops the loop: that takes seconds.
  for (const { largestGapMs, usualDelayMs, ticks } of [first, second]) {
    expect(largestGapMs).toBeLessThan(400);
    expect(usualDelayMs).toBeLessThan(50);
    expect(ticks).toBeGreaterThan(50);
  }
});

interface OfReplacement {
  readonly planned: Plan;
  readonly inspection: Inspection;
  readonly replaced: RestartResult;
  readonly failed: Failure;
  readonly versions: readonly Version[];
  readonly back: RestartResult;
}

test('a pod is planned, inspected, replaced, rolled back where the new program fails, and gone back in', async () => {
  const image = await clusterImageOfProgram(newcomer);
  const pod = await startPod(namespace.name, podManifest('replaced', { image }));
  const seen = await call<OfReplacement>('replace', pod.name, buildOf(2));
  const { planned, inspection, replaced, failed, versions, back } = seen;
  expect(planned).toMatchObject({ kind: 'Plan', possible: true, files: [{ path: '/app/server' }] });
  expect(inspection).toMatchObject({ kind: 'Inspection', verdict: { possible: true } });
  expect(replaced).toMatchObject({ outcome: 'restarted', files: [{ path: '/app/server', change: 'replaced' }] });
  expect(failed).toMatchObject({ name: 'HotexecError', code: 'new-program-failed', list: null });
  expect(failed.result).toMatchObject({ outcome: 'rolled-back', failed: { exitCode: 1 } });
  expect(versions.map(({ state }) => state)).toEqual(['failed', 'running', 'replaced']);
  expect(back.outcome).toBe('restarted');
  expect(await answersIn(pod, newcomer)).toMatch(/^version 1/);
});

async function deployment(name: string): Promise<readonly string[]> {
  const image = await clusterImageOfProgram(newcomer);
  const { spec } = podManifest(name, { image });
  await apply(namespace.name, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  });
  await rolledOut(namespace.name, `deployment/${name}`);
  return (await podsWith(namespace.name, `app=${name}`)).map(({ target }) => target);
}

interface OfWorkload {
  readonly planned: Plan;
  readonly list: RestartList;
  readonly back: RestartList;
  readonly ambiguous: Failure;
  readonly rolloutEvents: readonly RolloutEvent[];
}

test('the pods of a workload are restarted one after another, and each step is told', async () => {
  const pods = await deployment('web');
  const { planned, list, back, ambiguous, rolloutEvents } = await call<OfWorkload>('workload', 'web');
  expect(planned.warnings[0]).toMatch(/^this is the first of 2 pods; then come pod\/web-/);
  expect(list).toMatchObject({ kind: 'List', target: 'deployment/web', untouched: [], skipped: [] });
  expect(list.items.map(({ target }) => target).toSorted()).toEqual(pods);
  expect(list.items.map(({ outcome }) => outcome)).toEqual(['restarted', 'restarted']);
  expect(back.items.map(({ outcome }) => outcome)).toEqual(['restarted', 'restarted']);
  const states = rolloutEvents.flatMap((event) => (event.kind === 'pod' ? [event.state] : []));
  expect(states).toEqual(['restarting', 'settling', 'restarted', 'restarting', 'settling', 'restarted']);
  expect(rolloutEvents[0]).toMatchObject({ kind: 'rollout', atOnce: 1 });
  expect(rolloutEvents.some(({ kind }) => kind === 'in-pod')).toBe(true);
  expect(ambiguous).toMatchObject({ name: 'HotexecError', code: 'target-ambiguous' });
});

test('a workload whose first pod fails rejects, and the error has the list', async () => {
  await deployment('broken');
  const error = await call<Failure>('broken', 'broken');
  expect(error).toMatchObject({ name: 'HotexecError', code: 'pods-failed', result: null });
  expect(error.message).toMatch(/^deployment\/broken: 1 of 2 pods failed\. pod\/broken-\S+: .*\/no\/such\/program/);
  expect(error.list).toMatchObject({ items: [{ outcome: null, error: { code: 'program-not-startable' } }] });
  expect(error.list?.untouched).toHaveLength(1);
});

test('an AbortSignal cancels before anything is touched, and leaves the pods untouched whose turn has not come', async () => {
  await deployment('cancelled');
  const { before, list } = await call<{ before: Failure; list: RestartList }>('cancelled', 'cancelled');
  expect(before).toMatchObject({ name: 'HotexecError', code: 'cancelled' });
  expect(list.items).toMatchObject([{ outcome: 'restarted' }]);
  expect(list.untouched).toHaveLength(1);
});
