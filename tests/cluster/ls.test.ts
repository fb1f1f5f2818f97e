// kubectl hotexec ls: what can be restarted in a namespace, and what hotexec has done there.
import { describe, expect, test } from 'vitest';
import { currentCluster } from '../../src/connect/cluster-options.ts';
import { openApi } from '../../src/targets/kubernetes/api.ts';
import { loadCluster } from '../../src/targets/kubernetes/kubeconfig.ts';
import { listContainers } from '../../src/targets/kubernetes/list.ts';
import type { ClusterItem } from '../../src/cli/render/cluster-list-text.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec, kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentsOf, untilAgentIsKnown } from '../support/cluster/in-place.ts';
import { clusterEnvironment } from '../support/cluster/kubectl.ts';
import { apply, podManifest } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { Pod, startPod } from '../support/cluster/pod.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

interface Listed {
  readonly items: readonly ClusterItem[];
}

async function list(...words: readonly string[]): Promise<readonly ClusterItem[]> {
  const { exitCode, stderr, result } = await kubectlHotexecJson<Listed>('ls', ...words);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return result.items;
}

async function itemOf(pod: Pod, ...flags: readonly string[]): Promise<ClusterItem> {
  const found = (await list('-n', pod.namespace, ...flags)).find((item) => item.pod === pod.name);
  if (found === undefined) throw new Error(`${pod.name} is not in the list`);
  return found;
}

test('a pod before and after a restart: where it is, its agent, and that it was changed', async () => {
  const pod = await startNewcomer(namespace.name, 'web');
  const { node } = await pod.record();
  const { id } = await pod.container();
  const before = await itemOf(pod);
  expect(before).toMatchObject({
    kind: 'Target',
    target: 'pod/web',
    namespace: namespace.name,
    container: 'app',
    image: await clusterImageOfProgram(newcomer),
    node,
    id: `containerd://${id}`,
    restarts: 0,
    ready: true,
    agent: null,
    change: null,
    drift: null,
  });
  const { result } = await kubectlHotexecJson('restart', pod.name, '-n', pod.namespace);
  const agent = await untilAgentIsKnown(pod);
  const after = await itemOf(pod);
  expect(after).toMatchObject({
    restarts: 0,
    startedAt: before.startedAt,
    agent: { name: agent, state: 'running' },
    change: { verb: 'restart', operationId: result.operationId },
  });
  const { stdout } = await kubectlHotexec('ls', '-n', pod.namespace, 'web');
  expect(stdout).toMatch(/^POD +CONTAINER +IMAGE +NODE +RESTARTS +AGE +AGENT +CHANGED\n/);
  expect(stdout).toMatch(/^web +app +\S+ +\S+ +0 +\d+s +running +restart \d+s ago$/m);
});

test('where the kubelet has started the container again, the program is that of the image, and nothing is changed', async () => {
  const pod = await startNewcomer(namespace.name, 'crashing', { container: { args: ['late', '0'] } });
  await kubectlHotexec('restart', pod.name, '-n', pod.namespace);
  expect((await itemOf(pod)).change).not.toBeNull();
  await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--probation', '0', '--', '/app/server', 'exit', '3');
  await pod.becomes('started again', ({ containers, isReady }) => isReady && containers['app']?.restartCount === 1);
  expect(await itemOf(pod)).toMatchObject({ restarts: 1, change: null });
});

test('drift is asked of the agents that run, and of no other', async () => {
  const pod = await startNewcomer(namespace.name, 'drifting', { container: { command: ['/app/server', 'late', '0'] } });
  const quiet = await startNewcomer(namespace.name, 'quiet', { container: { command: ['/app/server', 'late', '0'] } });
  await kubectlHotexec('restart', pod.name, '-n', pod.namespace);
  await untilAgentIsKnown(pod);
  expect((await itemOf(pod, '--drift')).drift).toEqual([]);
  await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--', '/app/server', 'late', '1');
  expect((await itemOf(pod, '--drift')).drift).toEqual(['arguments']);
  expect((await itemOf(quiet, '--drift')).drift).toBeNull();
  expect(await agentsOf(quiet)).toEqual([]);
  const { stdout } = await kubectlHotexec('ls', '-n', pod.namespace, '--drift', 'drifting');
  expect(stdout).toMatch(/DRIFT\n.* arguments\n$/);
});

function named(items: readonly ClusterItem[]): readonly string[] {
  return items.map((one) => `${one.pod}/${one.container}`);
}

describe('of many', () => {
  test('labels, words, all namespaces and quiet choose; what cannot be restarted is left out', async () => {
    await using other = await makeNamespace();
    const image = await clusterImageOfProgram(newcomer);
    const labelled = {
      ...podManifest('labelled', { image }),
      metadata: { name: 'labelled', labels: { tier: 'front' } },
    };
    const sidecar = { name: 'beside', image, env: [{ name: 'PORT', value: '8081' }], restartPolicy: 'Always' };
    await apply(other.name, podManifest('over', { image, args: ['exit', '0'] }, { restartPolicy: 'Never' }));
    await startPod(other.name, labelled);
    await startPod(other.name, podManifest('two', { image }, { initContainers: [sidecar] }));
    await new Pod(other.name, 'over').becomes('over', ({ phase }) => phase === 'Succeeded');
    const here = ['-n', other.name];
    expect(named(await list(...here))).toEqual(['labelled/app', 'two/app', 'two/beside']);
    expect(named(await list(...here, '-l', 'tier=front'))).toEqual(['labelled/app']);
    expect(named(await list(...here, 'BESIDE'))).toEqual(['two/beside']);
    expect(named(await list('-A', other.name))).toEqual(['labelled/app', 'two/app', 'two/beside']);
    expect((await kubectlHotexec('ls', ...here, '-q')).stdout).toBe('pod/labelled\npod/two\n');
    expect((await kubectlHotexec('ls', '-A')).stdout).toMatch(/^NAMESPACE +POD/);
    const none = await kubectlHotexec('ls', ...here, 'nothing-like-it');
    expect(none).toMatchObject({ exitCode: 0, stdout: '' });
    expect(none.stderr).toContain(`No container runs in namespace ${other.name} that can be restarted and mentions`);
  });

  test('who may not list them is told what is missing', async () => {
    const one = await kubectlHotexec('ls', '-n', namespace.name, '--as', 'nobody-at-all');
    expect(one).toMatchObject({ exitCode: 5, stdout: '' });
    expect(one.stderr).toMatch(/RBAC does not let you list pods in namespace.*\n.*least Role/s);
    const all = await kubectlHotexec('ls', '-A', '--as', 'nobody-at-all');
    expect(all).toMatchObject({ exitCode: 5, stdout: '' });
    expect(all.stderr).toMatch(/list the pods of all namespaces.*\nhint: One namespace: -n NAME/s);
    const labels = await kubectlHotexec('ls', '-n', namespace.name, '-l', 'a==b==c');
    expect(labels.exitCode).toBe(2);
    expect(labels.stderr).toContain('hint: Such as: -l app=web,tier!=cache');
  });

  test('more than the API server gives at once are listed whole', async () => {
    await using other = await makeNamespace();
    const image = await clusterImageOfProgram(newcomer);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await apply(other.name, ...names.map((name) => podManifest(name, { image })));
    for (const name of names) await new Pod(other.name, name).isReady();
    using api = openApi(await loadCluster({ ...currentCluster, namespace: other.name }, clusterEnvironment));
    const found = await listContainers({ selector: null, allNamespaces: false }, api, { pageSize: 2 });
    expect(found.map(({ listed }) => listed.pod)).toEqual(names);
  });
});
