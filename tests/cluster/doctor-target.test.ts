// kubectl hotexec doctor of a pod or a workload: what it says is what a restart then meets, and it leaves no trace.
import { describe, expect, test } from 'vitest';
import type { DoctorDocument } from '../../src/doctor/document.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { allow, doctor, doctorOf, finding } from '../support/cluster/doctor.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { clusterImageOf, clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentsOf, untilAgentIsKnown } from '../support/cluster/in-place.ts';
import { kubectl } from '../support/cluster/kubectl.ts';
import { apply, podManifest, restrictedSecurity } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { startPod, type Pod } from '../support/cluster/pod.ts';
import { podsWith, rolledOut } from '../support/cluster/workload.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

async function versionOf(pod: Pod): Promise<string> {
  const where = ['-n', pod.namespace, '-o', 'jsonpath={.metadata.resourceVersion}'];
  return await kubectl('get', 'pod', pod.name, ...where);
}

describe('Pod Security', () => {
  test('restricted: what it means for the two ways, and which pod can be reached by which', async () => {
    await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const image = await clusterImageOf({
      ...(await newcomer.recipe()),
      name: 'newcomer-1234',
      config: { User: '1234:1234' },
    });
    const named = { image, securityContext: { ...restrictedSecurity, runAsUser: 1234, runAsGroup: 1234 } };
    const pod = await startPod(restricted.name, podManifest('named', named));
    const { exitCode, result } = await doctorOf(pod);
    expect(exitCode).toBe(0);
    expect(finding(result, 'agent: own user', 'Namespace').verdict).toBe('yes');
    expect(finding(result, 'agent: SYS_PTRACE', 'Namespace').verdict).toBe('no');
    expect(finding(result, 'agent: own user', 'Target')).toMatchObject({
      verdict: 'yes',
      meaning: "a dry run let it in: the program's own user, 1234:1234, without any capability",
    });
    expect(finding(result, 'agent: SYS_PTRACE', 'Target')).toMatchObject({
      verdict: 'no',
      blocking: false,
      meaning: expect.stringMatching(/and refused: pod\/named: the Pod Security admission.*\)$/) as string,
    });
    expect(await kubectlHotexec('restart', pod.name, '-n', pod.namespace)).toMatchObject({ exitCode: 0 });

    const unnamed = await startPod(
      restricted.name,
      podManifest('unnamed', { image, securityContext: restrictedSecurity }),
    );
    const refused = await doctorOf(unnamed);
    expect(refused.exitCode).toBe(5);
    expect(finding(refused.result, 'agent: SYS_PTRACE', 'Target')).toMatchObject({
      blocking: true,
      meaning: expect.stringMatching(/restricted:latest.*SYS_PTRACE/) as string,
      remedy: expect.stringContaining('--agent-user UID:GID') as string,
    });
    expect(await doctorOf(unnamed, '--agent-user', '1234:0')).toMatchObject({ exitCode: 0 });
    expect(await agentsOf(unnamed)).toEqual([]);
  });
});

describe('a pod', () => {
  test('is left as it is: no agent, no event, not one change', async () => {
    const pod = await startNewcomer(namespace.name, 'untouched');
    const before = await versionOf(pod);
    const { exitCode, result } = await doctorOf(pod);
    expect(exitCode).toBe(0);
    expect(finding(result, 'agent').meaning).toContain('none is there');
    expect(finding(result, 'memory').meaning).toContain('the pod has no limit');
    expect(finding(result, 'node').meaning).toMatch(/^hotexec-node is of linux and amd64$/);
    expect(await versionOf(pod)).toBe(before);
  });

  test('whose agent is there: it is named, and its memory is spent already', async () => {
    const pod = await startNewcomer(namespace.name, 'with-agent', {
      container: { resources: { limits: { memory: '96Mi' } } },
    });
    const words = ['restart', pod.name, '-n', pod.namespace, '--force'];
    expect(await kubectlHotexec(...words)).toMatchObject({ exitCode: 0 });
    await untilAgentIsKnown(pod);
    const { exitCode, result } = await doctorOf(pod);
    expect(finding(result, 'agent').meaning).toMatch(/^hotexec-\S+-1 runs$/);
    expect(exitCode).toBe(0);
  });

  test('with too little memory, or several containers, is told the way out', async () => {
    const image = await clusterImageOfProgram(newcomer);
    const small = await startNewcomer(namespace.name, 'small', {
      container: { resources: { limits: { memory: '32Mi' } } },
    });
    const found = await doctorOf(small);
    expect(found.exitCode).toBe(5);
    expect(finding(found.result, 'memory')).toMatchObject({
      blocking: true,
      remedy: expect.stringContaining('--force') as string,
    });
    const containers = [
      { name: 'app', image },
      { name: 'other', image, env: [{ name: 'PORT', value: '8081' }] },
    ];
    const two = await startPod(namespace.name, podManifest('two', {}, { containers }));
    const { exitCode, result } = await doctorOf(two);
    expect(exitCode).toBe(5);
    expect(finding(result, 'container')).toMatchObject({
      blocking: true,
      meaning: 'pod/two has several containers: app, other',
      remedy: 'Say which one: -c app',
    });
    const chosen = await doctorOf(two, '-c', 'other');
    expect(chosen.exitCode).toBe(0);
    expect(finding(chosen.result, 'container').meaning).toMatch(/^other runs.*; beside it: app$/);
  });

  test('of a RuntimeClass is judged by its handler, and by its name where that may not be read', async () => {
    const name = `kata-${namespace.name}`;
    const runtimeClass = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: 'runc' };
    await apply(namespace.name, runtimeClass);
    try {
      const pod = await startNewcomer(namespace.name, 'classed', { spec: { runtimeClassName: name } });
      const { exitCode, result } = await doctorOf(pod);
      expect(exitCode).toBe(0);
      expect(finding(result, 'runtime').meaning).toBe(`RuntimeClass ${name}, of handler runc`);
      await allow('kim', namespace.name, [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
      const unread = await doctorOf(pod, '--as', 'kim');
      expect(finding(unread.result, 'runtime')).toMatchObject({
        blocking: true,
        meaning: expect.stringContaining('Kata Containers') as string,
      });
      expect(finding(unread.result, 'node')).toMatchObject({ verdict: 'unknown' });
    } finally {
      await kubectl('delete', 'runtimeclass', name);
    }
  });

  test('that is not there: the nearest name', async () => {
    await startNewcomer(namespace.name, 'present');
    const { exitCode, result } = await doctor('presnet', '-n', namespace.name);
    expect(exitCode).toBe(5);
    expect(finding(result, 'pod')).toMatchObject({ blocking: true, remedy: 'Did you mean pod/present?' });
  });
});

test('a deployment: the first pod in full, the others as far as they differ', async () => {
  const image = await clusterImageOfProgram(newcomer);
  const labels = { app: 'many' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'many' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
    },
  };
  await apply(namespace.name, deployment);
  await rolledOut(namespace.name, 'deployment/many');
  const pods = await podsWith(namespace.name, 'app=many');
  // As hotexec, which reaches a cluster by what is named.
  const run = await hotexec('doctor', 'deployment/many', '-n', namespace.name, '-o', 'json');
  const document = JSON.parse(run.stdout) as DoctorDocument;
  expect(run.exitCode).toBe(0);
  expect(document.target).toEqual({ name: 'deployment/many', pid: null });
  const [first, second] = pods.map(({ name }) => name);
  expect(finding(document, 'deployment').meaning).toContain('has 2 pods: ');
  const others = document.findings.filter(({ subject }) => subject === first || subject === second);
  expect(others).toMatchObject([{ verdict: 'yes', meaning: expect.stringMatching(/^as many-/) as string }]);

  await allow('pat', namespace.name, [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]);
  const refused = await doctor('deployment/many', '-n', namespace.name, '--as', 'pat');
  expect(refused.exitCode).toBe(5);
  expect(finding(refused.result, 'get deployments').blocking).toBe(true);
  expect(finding(refused.result, 'list daemonsets').blocking).toBe(false);
});
