// Hooks of many pods, and of one whose restart was asked for by somebody who is gone since.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { History } from '../../src/protocol/history.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { command, hooked, saidBy, says } from '../support/cluster/hooked.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { rollOut } from '../support/cluster/rolling.ts';
import { apply, type Data } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startPod } from '../support/cluster/pod.ts';
import { podsWith, rolledOut } from '../support/cluster/workload.ts';
import { hotexecCommand } from '../support/docker/hotexec.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...busybox.needs);
const namespace = namespaceForTests();
agentForTests();

/** postStart fails for a program that was started with `--env BROKEN=1`. */
const both = {
  preStop: command(says('preStop')),
  postStart: command(`${says('postStart')}; ! /busybox grep -q BROKEN /proc/1/environ`),
};

test('the hooks of a workload run in each pod, and a postStart hook that fails ends the rollout at its first pod', async () => {
  const { spec } = await hooked('web', both);
  const template = { metadata: { labels: { app: 'web' } }, spec };
  await apply(namespace.name, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
  });
  await rolledOut(namespace.name, 'deployment/web');
  const pods = await podsWith(namespace.name, 'app=web');
  const { exitCode, list } = await rollOut(namespace.name, 'restart', 'deployment/web', '--hooks');
  expect({ exitCode, items: list.items }).toMatchObject({
    exitCode: 0,
    items: pods.map(() => ({ outcome: 'restarted', hooks: [{ end: 'succeeded' }, { end: 'succeeded' }] })),
  });
  for (const pod of pods) expect((await saidBy(pod, 'postStart', 2)).slice(2, 4)).toEqual(['preStop', 'stopping']);

  const failing = await rollOut(namespace.name, 'restart', 'deployment/web', '--hooks', '--env', 'BROKEN=1');
  expect({ exitCode: failing.exitCode, list: failing.list }).toMatchObject({
    exitCode: 3,
    list: { items: [{ outcome: 'rolled-back', failed: { reason: 'post-start-hook' } }] },
  });
  expect(failing.list.untouched).toHaveLength(1);
  expect(failing.stderr).toMatch(/^warning: pod\/web-\S+: the postStart hook \(exec\) exited with 1$/m);
});

test('somebody who is killed while preStop runs loses no hook silently: the restart goes on, and without its postStart the new program goes back', async () => {
  const slow = { ...both, preStop: command(`${says('preStop')}; /busybox sleep 300`) };
  const pod = await startPod(namespace.name, await hooked('left', slow));
  const words = ['restart', pod.target, '--namespace', namespace.name, '--hooks', '-o', 'jsonl'];
  const client = spawn(hotexecCommand, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: client.stdout })) {
    if ((JSON.parse(line) as Data)['kind'] === 'hook-due') client.kill('SIGKILL');
  }
  await saidBy(pod, 'started', 3);
  const inNamespace = ['-n', namespace.name];
  const operationId = await until('the record has the program that failed', async () => {
    const listed = await kubectlHotexecJson<History>('rollback', pod.name, '--list', ...inNamespace);
    return listed.result.versions.find(({ state }) => state === 'failed')?.operationId ?? undefined;
  });
  const asked = await kubectlHotexecJson('inspect', pod.name, '--operation', operationId, ...inNamespace);
  expect(asked).toMatchObject({
    exitCode: 3,
    result: { outcome: 'rolled-back', failed: { reason: 'post-start-hook' } },
  });
  expect(asked.result.hooks).toMatchObject([
    { hook: 'preStop', program: 'old', end: 'unfinished' },
    { hook: 'postStart', program: 'new', end: 'unknown' },
    { hook: 'postStart', program: 'previous', end: 'unknown' },
  ]);
}, 180_000);
