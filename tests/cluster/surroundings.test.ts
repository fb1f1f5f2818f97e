// What a pod stands on is looked at before an agent is put into it.
import { describe, expect, test } from 'vitest';
import { leastRole } from '../../src/targets/kubernetes/role.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { clusterImageOf } from '../support/cluster/image.ts';
import { agentsOf } from '../support/cluster/in-place.ts';
import { kubectl, kubectlWithInput } from '../support/cluster/kubectl.ts';
import { apply } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange, startNewcomer } from '../support/cluster/newcomer.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

/** With `name`, in the cluster as long as it is used. */
async function runtimeClass(name: string): Promise<AsyncDisposable> {
  // This machine has no other runtime: only the name is that of a sandbox.
  await apply(namespace.name, {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: 'runc',
  });
  return { [Symbol.asyncDispose]: async () => void (await kubectl('delete', 'runtimeclass', name)) };
}

describe('a RuntimeClass with the name of a sandbox', () => {
  test('is believed by who may not read its handler, and can be tried; who may sees that it is none', async () => {
    const name = `kata-${namespace.name}`;
    await using _ = await runtimeClass(name);
    const pod = await startNewcomer(namespace.name, 'sandboxed', { spec: { runtimeClassName: name } });
    await kubectlWithInput(['apply', '-f', '-'], leastRole(namespace.name));
    await kubectl('create', 'rolebinding', 'kay', '--role=hotexec', '--user=kay', '-n', namespace.name);

    const { exitCode, stdout, stderr } = await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--as', 'kay');
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toContain(
      `pod/sandboxed runs in a sandbox (Kata Containers), as its RuntimeClass ${name} says: such a runtime does not let the agent see the program. Nothing was touched.\nhint: --force tries it`,
    );
    expect(await agentsOf(pod)).toEqual([]);

    await expectChange(pod, 'restart', '--as', 'kay', '--force');
    const other = await startNewcomer(namespace.name, 'readable', { spec: { runtimeClassName: name } });
    await expectChange(other, 'restart');
  });
});

test('an image of the agent for another architecture: the kernel refuses it, and the way out is told', async () => {
  // Magic, class, byte order and version of an ELF file, and e_machine 183: AArch64.
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(183, 18);
  const image = await clusterImageOf({
    name: 'agent-for-another-cpu',
    files: [{ path: '/usr/bin/hotexec', mode: 0o755, read: async () => header }],
    entrypoint: ['/usr/bin/hotexec'],
    env: { PATH: '/usr/bin' },
  });
  const pod = await startNewcomer(namespace.name, 'other-cpu');
  const run = await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--agent-image', image);
  expect(run).toMatchObject({ exitCode: 5, stdout: '' });
  expect(run.stderr).toMatch(
    /the agent \(ephemeral container hotexec-\S+-1\) .*exec format error.* Nothing was touched\.\nhint: Its image is for another architecture than the node's: --agent-image IMAGE/s,
  );
  // With one that fits it goes on.
  await expectChange(pod, 'restart');
});
