// A Job's pod: its program is meant to end, and an exit with 0 is what it is for.
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { kubectl } from '../support/cluster/kubectl.ts';
import { apply, type Data } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange } from '../support/cluster/newcomer.ts';
import { answersIn, type Pod } from '../support/cluster/pod.ts';
import { podsWith } from '../support/cluster/workload.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

/** Its one pod, running. */
async function startJob(name: string, restartPolicy: 'Never' | 'OnFailure', container: Data = {}): Promise<Pod> {
  const image = await clusterImageOfProgram(newcomer);
  const spec = {
    restartPolicy,
    terminationGracePeriodSeconds: 2,
    containers: [{ name: 'app', image, ...container }],
  };
  await apply(namespace.name, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { metadata: { labels: { app: name } }, spec } },
  });
  const pod = await until(`the pod of job ${name}`, async () => (await podsWith(namespace.name, `app=${name}`))[0]);
  await pod.isReady();
  return pod;
}

async function expectComplete(name: string, pod: Pod): Promise<void> {
  await kubectl('wait', '--for=condition=Complete', `job/${name}`, '-n', namespace.name, '--timeout=30s');
  expect(await pod.record()).toMatchObject({ phase: 'Succeeded', containers: { app: { restartCount: 0 } } });
  expect((await podsWith(namespace.name, `app=${name}`)).map((one) => one.name)).toEqual([pod.name]);
}

const where = (): readonly string[] => ['-n', namespace.name];

async function expectExitWithZero(pod: Pod): Promise<void> {
  const done = ['--', '/app/server', 'exit', '0'];
  const { exitCode, stderr, result } = await kubectlHotexecJson('restart', pod.name, ...where(), ...done);
  expect({ exitCode, stderr, result }).toMatchObject({ exitCode: 0, stderr: '', result: { outcome: 'restarted' } });
  expect(result.probation.end).toBe('ended');
}

// It serves, as a Job that has metrics does.
test('the pod of a Job is restarted and replaced, a failure is taken back, and an exit with 0 completes the Job', async () => {
  const pod = await startJob('job', 'OnFailure');
  await expectChange(pod, 'replace', '--with', buildOf(2));
  expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);
  await expectChange(pod, 'restart');

  const failing = [pod.name, ...where(), '--', '/app/server', 'exit', '3'];
  const failed = await kubectlHotexecJson('restart', ...failing);
  expect(failed).toMatchObject({ exitCode: 3, result: { outcome: 'rolled-back', failed: { exitCode: 3 } } });
  expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);

  await expectExitWithZero(pod);
  await expectComplete('job', pod);
});

test('under restartPolicy Never, too, the Job is complete after an exit with 0', async () => {
  const pod = await startJob('once', 'Never');
  await expectExitWithZero(pod);
  await expectComplete('once', pod);
});
