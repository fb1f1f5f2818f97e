// A workload named as kubectl names it, here with one pod.
import { describe, expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { apply, type Data, type Manifest } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { answersIn } from '../support/cluster/pod.ts';
import { podsWith, rolledOut } from '../support/cluster/workload.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

async function deployment(name: string, container: Data = {}): Promise<Manifest> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [{ name: 'app', image: await clusterImageOfProgram(newcomer), ...container }],
        },
      },
    },
  };
}

describe('a workload with one pod', () => {
  test('is named as kubectl names it', async () => {
    await apply(namespace.name, await deployment('web'));
    await rolledOut(namespace.name, 'deployment/web');
    const [pod] = await podsWith(namespace.name, 'app=web');
    if (pod === undefined) throw new Error('the deployment has no pod');
    for (const words of [
      ['deployment/web'],
      ['deploy', 'web'],
      ['deployments', '-l', 'app=web'],
      ['po', '-l', 'app=web'],
    ]) {
      const before = await answersIn(pod, newcomer);
      const run = await kubectlHotexec('restart', ...words, '-n', namespace.name);
      expect(run).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await answersIn(pod, newcomer)).not.toBe(before);
    }
  });

  test('is refused while a rollout is under way, and where there is none', async () => {
    await apply(namespace.name, await deployment('rolling'));
    await rolledOut(namespace.name, 'deployment/rolling');
    await apply(namespace.name, await deployment('rolling', { image: 'localhost/hotexec-test/nobody-has-it:2' }));
    const run = await kubectlHotexec('restart', 'deployment/rolling', '-n', namespace.name);
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(run.stderr).toMatch(/deployment\/rolling: a rollout is under way \(.*\), and its pods are being replaced/);
    const misspelt = await kubectlHotexec('restart', 'deployment/rollnig', '-n', namespace.name);
    expect(misspelt.stderr).toContain('hint: Did you mean deployment/rolling?');
    const selected = await kubectlHotexec('restart', 'pods', '-l', 'app=none', '-n', namespace.name);
    expect(selected.stderr).toContain('pod -l app=none: nothing in namespace');
  });
});
