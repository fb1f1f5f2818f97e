// A sidecar as Kubernetes knows it: an init container that runs on beside the others, as the target and beside it.
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec, kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentsOf, podIdentity } from '../support/cluster/in-place.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { executionOf } from '../support/docker/proc.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

test('a sidecar is restarted by its name, the container beside it without one, and each leaves the other alone', async () => {
  const image = await clusterImageOfProgram(newcomer);
  const env = [{ name: 'PORT', value: '8081' }];
  const initContainers = [
    { name: 'setup', image, args: ['exit', '0'] },
    { name: 'proxy', image, env, restartPolicy: 'Always' },
  ];
  const pod = await startNewcomer(namespace.name, 'meshed', { spec: { initContainers } });
  const where = [pod.name, '-n', namespace.name];
  const look = async (): Promise<unknown> => Promise.all(['app', 'proxy'].map(async (name) => podIdentity(pod, name)));
  const executions = async (): Promise<readonly string[]> =>
    Promise.all(['app', 'proxy'].map(async (name) => executionOf(await pod.pid(name))));
  const [before, begun] = [await look(), await executions()];

  const proxy = await kubectlHotexecJson('restart', ...where, '-c', 'proxy');
  expect(proxy).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
  expect(proxy.result.listeners).toMatchObject([{ address: '0.0.0.0:8081', handedOver: true }]);
  const middle = await executions();
  expect([middle[0] === begun[0], middle[1] === begun[1]]).toEqual([true, false]);

  const app = await kubectlHotexecJson('restart', ...where);
  expect(app).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
  const after = await executions();
  expect([after[0] === middle[0], after[1] === middle[1]]).toEqual([false, true]);
  expect(await look()).toEqual(before);
  expect((await agentsOf(pod)).map(({ targetContainerName }) => targetContainerName)).toEqual(['proxy', 'app']);

  const setup = await kubectlHotexec('restart', ...where, '-c', 'setup');
  expect(setup).toMatchObject({ exitCode: 5, stdout: '' });
  expect(setup.stderr).toContain('"setup" is an init container, and those are done before the others begin');
});
