// A pod whose containers share one process namespace: pid 1 there is the sandbox's /pause, and every container sees the processes of the others.
import { expect, test } from 'vitest';
import type { Inspection } from '../../src/protocol/inspection.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentsOf, podIdentity } from '../support/cluster/in-place.ts';
import { podManifest, type Data } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startPod, type Pod } from '../support/cluster/pod.ts';
import { executionOf, innerPid } from '../support/docker/proc.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

const containers = ['app', 'beside'] as const;

/** Two containers with the same program: only their mounts and control groups tell them apart. */
async function startTwo(name: string, container: Data): Promise<Pod> {
  const image = await clusterImageOfProgram(newcomer);
  const [app, beside] = containers.map((each, index) => ({
    name: each,
    image,
    env: [{ name: 'PORT', value: String(8080 + index) }],
    ...container,
  }));
  const spec = { shareProcessNamespace: true, containers: [app, beside] };
  return await startPod(namespace.name, podManifest(name, {}, spec));
}

async function executions(pod: Pod): Promise<readonly string[]> {
  return await Promise.all(containers.map(async (container) => executionOf(await pod.pid(container))));
}

const users = [
  ['root', {}],
  ['another user', { securityContext: { runAsUser: 1234, runAsGroup: 1234 } }],
] as const;

test.each(users)(
  'as %s: of two containers with the same program the one that is named is restarted, and neither the other nor /pause',
  async (user, container) => {
    const pod = await startTwo(`shared-${user.replace(' ', '-')}`, container);
    const before = await Promise.all(containers.map(async (name) => podIdentity(pod, name)));
    const where = ['-n', namespace.name];
    const begun = await executions(pod);

    const app = await kubectlHotexecJson('restart', pod.name, '-c', 'app', ...where);
    expect(app).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
    expect(app.result.listeners).toMatchObject([{ address: '0.0.0.0:8080', handedOver: true }]);
    expect(app.result.pid).toBe(await innerPid(await pod.pid('app')));
    expect(app.result.pid).not.toBe(1);
    const middle = await executions(pod);
    expect(middle[0]).not.toBe(begun[0]);
    expect(middle[1]).toBe(begun[1]);

    const beside = await kubectlHotexecJson('restart', pod.name, '-c', 'beside', ...where);
    expect(beside).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
    expect(beside.result.listeners).toMatchObject([{ address: '0.0.0.0:8081', handedOver: true }]);
    const after = await executions(pod);
    expect(after[0]).toBe(middle[0]);
    expect(after[1]).not.toBe(middle[1]);

    const { result } = await kubectlHotexecJson<Inspection>('inspect', pod.name, '-c', 'app', ...where);
    expect(result.program.exe).toBe('/app/server');
    expect(await Promise.all(containers.map(async (name) => podIdentity(pod, name)))).toEqual(before);
    expect((await agentsOf(pod)).map(({ targetContainerName }) => targetContainerName)).toEqual([...containers]);
  },
);
