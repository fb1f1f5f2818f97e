// The container of an agent is killed on its node in the middle of a restart, with all that is in it: a successor puts in order what was left.
import { describe, expect, test } from 'vitest';
import type { Inspection } from '../../src/protocol/inspection.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec, kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentPid, agentsOf, podIdentity } from '../support/cluster/in-place.ts';
import { podManifest } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { answersIn, startPod, type Pod } from '../support/cluster/pod.ts';
import { statusOf } from '../support/docker/proc.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { killTogether, watchForHold } from '../support/kill/together.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

needs('root', 'cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

const inNamespace = (): readonly string[] => ['-n', namespace.name];

/** With an agent in it. */
async function startNewcomer(name: string, securityContext: object): Promise<Pod> {
  const image = await clusterImageOfProgram(newcomer);
  const pod = await startPod(namespace.name, podManifest(name, { image, securityContext }));
  expect(await kubectlHotexec('inspect', pod.name, ...inNamespace())).toMatchObject({ exitCode: 0 });
  return pod;
}

/** As it is outside: nobody traces it, it is not stopped, it answers, and the cluster has counted no restart. */
async function isInOrder(pod: Pod, before: Awaited<ReturnType<typeof podIdentity>>): Promise<void> {
  const status = await statusOf(before.pid);
  expect(status.get('TracerPid')).toBe('0');
  expect(status.get('State')).not.toMatch(/^[tT]/);
  await answersIn(pod, newcomer);
  expect(await podIdentity(pod)).toEqual(before);
}

const users = [
  ['root', {}],
  ['another-user', { runAsUser: 1234, runAsGroup: 1234 }],
] as const;

describe.each(users)('an agent beside a program that runs as %s, killed with its engine', (user, security) => {
  test('in the middle of a hold: its command has a successor put it in order, and does not claim to know the outcome', async () => {
    const pod = await startNewcomer(`held-${user}`, security);
    const before = await podIdentity(pod);
    const agent = await agentPid(pod);
    const watch = await watchForHold(before.pid);
    const restarting = kubectlHotexec('restart', pod.name, '--no-drain', ...inNamespace());
    await watch.held;
    killTogether(agent);
    const { exitCode, stderr } = await restarting;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 6 });
    expect(stderr).toMatch(
      /has ended in the middle of operation \S+: it was killed.* Its successor has looked after that/,
    );
    await isInOrder(pod, before);
    expect(await agentsOf(pod)).toHaveLength(2);
    expect(await kubectlHotexec('restart', pod.name, ...inNamespace())).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test(
    'at any time of a restart: the next command finds a program that runs and answers',
    { timeout: 600_000 },
    async () => {
      const pod = await startNewcomer(`any-time-${user}`, security);
      const before = await podIdentity(pod);
      const rounds = often(8, 3);
      for (let round = 1; round <= rounds; round++) {
        const agent = await agentPid(pod);
        const restarting = kubectlHotexec('restart', pod.name, '--no-drain', ...inNamespace());
        // The command takes half a second, the first half of it to reach the agent.
        const end = performance.now() + 250 + (350 * round) / rounds;
        await until('the moment has come', () => performance.now() >= end, { pauseMs: 1 });
        killTogether(agent);
        expect([0, 6]).toContain((await restarting).exitCode);
        // After it the kubelet may not have told yet that the agent has ended: then the command takes another by itself.
        const seen = await kubectlHotexecJson<Inspection>('inspect', pod.name, ...inNamespace());
        expect(seen).toMatchObject({ exitCode: 0, result: { verdict: { refusals: [] } } });
        await isInOrder(pod, before);
      }
    },
  );

  test('leaves the record of programs to its successor, which goes back by it', async () => {
    const pod = await startNewcomer(`record-${user}`, security);
    const replaced = await kubectlHotexec('replace', pod.name, '--with', buildOf(2), ...inNamespace());
    expect(replaced).toMatchObject({ exitCode: 0 });
    expect(await answersIn(pod, newcomer)).toMatch(/^version 2 /);
    killTogether(await agentPid(pod));
    expect(await kubectlHotexec('rollback', pod.name, ...inNamespace())).toMatchObject({ exitCode: 0 });
    expect(await answersIn(pod, newcomer)).toMatch(/^version 1 /);
  });
});
