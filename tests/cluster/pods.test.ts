// A pod's main process restarted and replaced from outside the cluster, with nothing but a kubeconfig.
import { describe, expect, test } from 'vitest';
import type { History } from '../../src/protocol/history.ts';
import type { Inspection } from '../../src/protocol/inspection.ts';
import type { Plan } from '../../src/protocol/plan.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec, kubectlHotexecJson, kubectlWithPlugin } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { kubectl } from '../support/cluster/kubectl.ts';
import { agentsOf, annotationsOf, eventsOf, podIdentity } from '../support/cluster/in-place.ts';
import { podManifest } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { answersIn, startPod } from '../support/cluster/pod.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs, ...busybox.needs);
const namespace = namespaceForTests();
agentForTests();

const inNamespace = (): readonly string[] => ['-n', namespace.name];

const runsOf = (log: string): number => [...log.matchAll(/version \d+ serves/g)].length;

/** Whom the program runs as, and what lets its agent hold it. */
const users = [
  ['root', {}, { runAsUser: 0, runAsNonRoot: false, capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } }],
  [
    'another-user',
    { securityContext: { runAsUser: 1234, runAsGroup: 1234 } },
    { runAsUser: 1234, runAsGroup: 1234, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  ],
] as const;

describe.each(users)('a program that runs as %s', (user, container, security) => {
  test('is restarted: same pod, container, address and log, no restart counted, a trace in the cluster', async () => {
    const pod = await startNewcomer(namespace.name, `restart-${user}`, { container });
    const before = await podIdentity(pod);
    const firstLog = await pod.logs();
    const { exitCode, result, stderr } = await kubectlHotexecJson('restart', pod.name, ...inNamespace());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(result).toMatchObject({ outcome: 'restarted', target: pod.target, container: { id: before.container.id } });
    expect(result.listeners).toMatchObject([{ handedOver: true }]);
    expect(await podIdentity(pod)).toEqual(before);
    await until('the log has both runs', async () => runsOf(await pod.logs()) === 2);
    expect((await pod.logs()).startsWith(firstLog)).toBe(true);

    const asked = await kubectlHotexecJson('inspect', pod.name, '--operation', result.operationId, ...inNamespace());
    expect(asked).toMatchObject({ exitCode: 0, result: { kind: 'Restart', operationId: result.operationId } });
    const unknown = await kubectlHotexecJson('inspect', pod.name, '--operation', 'none', ...inNamespace());
    expect(unknown).toMatchObject({ exitCode: 6, result: { error: { code: 'outcome-unknown' } } });

    const [agent, ...more] = await agentsOf(pod);
    expect(more).toEqual([]);
    expect(agent).toMatchObject({
      name: expect.stringMatching(/^hotexec-\d+-\d+-\d+-1$/) as string,
      targetContainerName: 'app',
    });
    expect(agent?.securityContext).toMatchObject({
      ...security,
      allowPrivilegeEscalation: false,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(await eventsOf(pod)).toEqual([
      {
        reason: 'HotexecRestarted',
        type: 'Normal',
        message: `Main process of container app: restarted in place; operation ${result.operationId}`,
      },
    ]);
    expect((await annotationsOf(pod))['hotexec.io/app']).toContain(result.operationId);
  });

  test('is replaced, taken back where the new one fails, and rolled back, all by one agent', async () => {
    const pod = await startNewcomer(namespace.name, `replace-${user}`, { container });
    const before = await podIdentity(pod);
    const replaced = await kubectlHotexecJson('replace', pod.name, '--with', buildOf(2), ...inNamespace());
    expect(replaced).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
    expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);

    const words = ['replace', pod.name, '--with', buildOf(3), ...inNamespace(), '-o', 'json', '--', 'exit', '1'];
    const failing = await kubectlHotexec(...words);
    expect(failing.exitCode).toBe(3);
    expect(JSON.parse(failing.stdout)).toMatchObject({ outcome: 'rolled-back', failed: { exitCode: 1 } });
    expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);

    const listed = await kubectlHotexecJson<History>('rollback', pod.name, '--list', ...inNamespace());
    expect(listed.result.versions.map(({ state }) => state)).toEqual(['failed', 'running', 'replaced']);
    const back = await kubectlHotexecJson('rollback', pod.name, ...inNamespace());
    expect(back).toMatchObject({ exitCode: 0, result: { outcome: 'restarted' } });
    expect(await answersIn(pod, newcomer)).toMatch(/^version 1/);

    expect(await podIdentity(pod)).toEqual(before);
    expect(await agentsOf(pod)).toHaveLength(1);
    const reasons = (await eventsOf(pod)).map(({ reason, type }) => `${type} ${reason}`);
    expect(reasons.toSorted()).toEqual([
      'Normal HotexecReplaced',
      'Normal HotexecWentBack',
      'Warning HotexecRolledBack',
    ]);
  });

  test('is looked at, and its restart planned, without a change', async () => {
    const pod = await startNewcomer(namespace.name, `look-${user}`, { container });
    const before = await answersIn(pod, newcomer);
    const inspected = await kubectlHotexecJson<Inspection>('inspect', pod.name, ...inNamespace());
    expect(inspected).toMatchObject({ exitCode: 0, result: { program: { exe: '/app/server' } } });
    expect(inspected.result.verdict).toMatchObject({ possible: true, refusals: [] });
    const planned = await kubectlHotexecJson<Plan>('plan', 'restart', pod.name, ...inNamespace());
    expect(planned).toMatchObject({ exitCode: 0, result: { possible: true, refusals: [] } });
    expect(await answersIn(pod, newcomer)).toBe(before);
    expect(await eventsOf(pod)).toEqual([]);
  });
});

test('hotexec itself reaches pods, too', async () => {
  const pod = await startNewcomer(namespace.name, 'by-hotexec');
  expect(await hotexec('restart', pod.target, ...inNamespace())).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await hotexec('restart', 'po', pod.name, ...inNamespace())).toMatchObject({ exitCode: 0, stderr: '' });
  expect(runsOf(await pod.logs())).toBe(3);
});

test('stop signal and grace period are those of the pod', async () => {
  const pod = await startNewcomer(namespace.name, 'stopping', { spec: { terminationGracePeriodSeconds: 7 } });
  const { result } = await kubectlHotexecJson<Plan>('plan', 'restart', pod.name, ...inNamespace());
  expect(result.drain).toMatchObject({ signal: 'SIGTERM', gracePeriodMs: 7000 });
});

test('of several containers one has to be named, and the other stays as it is', async () => {
  const image = await clusterImageOfProgram(newcomer);
  const beside = {
    name: 'beside',
    image: await clusterImageOfProgram(busybox),
    command: ['/busybox', 'sleep', '9999'],
  };
  const pod = await startPod(namespace.name, podManifest('two', {}, { containers: [{ name: 'app', image }, beside] }));
  const refused = await kubectlHotexec('restart', pod.name, ...inNamespace());
  expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
  expect(refused.stderr).toContain('pod/two has several containers: app, beside. Nothing was touched.');
  const before = await podIdentity(pod, 'beside');
  expect(await kubectlHotexec('restart', pod.name, '-c', 'app', ...inNamespace())).toMatchObject({ exitCode: 0 });
  expect(await podIdentity(pod, 'beside')).toEqual(before);
  expect(runsOf(await pod.logs('app'))).toBe(2);
  // Each has an agent of its own.
  expect(await kubectlHotexec('restart', pod.name, '-c', 'beside', ...inNamespace())).toMatchObject({ exitCode: 0 });
  expect((await agentsOf(pod)).map(({ targetContainerName }) => targetContainerName)).toEqual(['app', 'beside']);

  await kubectl('annotate', 'pod', pod.name, ...inNamespace(), 'kubectl.kubernetes.io/default-container=app');
  expect(await kubectlHotexec('restart', pod.name, ...inNamespace())).toMatchObject({ exitCode: 0 });
  expect(runsOf(await pod.logs('app'))).toBe(3);
});

test('an agent that has ended gets a successor', async () => {
  const pod = await startNewcomer(namespace.name, 'successor');
  const restart = async (): Promise<void> => {
    const run = await kubectlHotexec('restart', pod.name, '--agent-ttl', '5s', ...inNamespace());
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  };
  await restart();
  const [first] = await agentsOf(pod);
  await pod.becomes('one whose agent has ended', ({ containers }) =>
    (containers[first?.name ?? '']?.state ?? '').startsWith('terminated'),
  );
  await restart();
  expect((await agentsOf(pod)).map(({ name }) => name.at(-1))).toEqual(['1', '2']);
});

test('names are completed as kubectl completes them', async () => {
  const pod = await startNewcomer(namespace.name, 'completed');
  expect(await complete('rest')).toEqual(['restart', ':4']);
  expect(await complete('restart', ...inNamespace(), 'compl')).toEqual([pod.name, ':4']);
  expect(await complete('restart', ...inNamespace(), 'po/compl')).toEqual([`po/${pod.name}`, ':4']);
  expect(await complete('restart', ...inNamespace(), pod.name, '-c', '')).toEqual(['app', ':4']);
  expect(await complete('restart', pod.name, '--agent-u')).toEqual(['--agent-user', ':4']);
  expect(await complete('replace', pod.name, '--with', '')).toEqual([':0']);
  expect(await complete('doctor', ...inNamespace(), 'compl')).toEqual([pod.name, ':4']);
  expect(await complete('ls', ...inNamespace(), 'compl')).toEqual([pod.name, ':4']);
  expect(await complete('ls', ...inNamespace(), 'deploy')).toEqual([':4']);
  expect(await complete('ls', '--all')).toEqual(['--all-namespaces', ':4']);
});

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await kubectlWithPlugin('__complete', 'hotexec', ...words);
  return stdout.trim().split('\n');
}
