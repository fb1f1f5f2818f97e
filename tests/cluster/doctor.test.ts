// kubectl hotexec doctor of a namespace: what it says is what a restart then meets.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leastRole } from '../../src/targets/kubernetes/role.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { allow, doctor, doctorOf, finding, rightsWith } from '../support/cluster/doctor.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { kubectl, kubectlWithInput } from '../support/cluster/kubectl.ts';
import { apply, podManifest, type Data } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { startPod } from '../support/cluster/pod.ts';
import { rolledOut } from '../support/cluster/workload.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

describe('a namespace', () => {
  test('the administrator may do all, and it is said which server, and who asks', async () => {
    const { exitCode, result, stderr } = await doctor('-n', namespace.name);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(result).toMatchObject({
      apiVersion: 'hotexec/v1',
      kind: 'Doctor',
      possible: true,
      target: null,
      cluster: { namespace: namespace.name, role: null },
    });
    expect(finding(result, 'API server').meaning).toMatch(/^Kubernetes v1\.\d+\.\d+ at /);
    expect(finding(result, 'who asks').meaning).toContain('system:masters');
    expect(rightsWith('no', result)).toEqual([]);
  });

  test('with the least Role all is there but what is not in it on purpose', async () => {
    await using other = await makeNamespace();
    await kubectlWithInput(['apply', '-f', '-'], leastRole(other.name));
    await kubectl('create', 'rolebinding', 'lea', '--role=hotexec', '--user=lea', '-n', other.name);
    const { exitCode, result } = await doctor('-n', other.name, '--as', 'lea');
    expect(exitCode).toBe(0);
    expect(rightsWith('no', result)).toEqual(['patch pods']);
    expect(result.cluster?.role).toBeNull();
    // Labels of a namespace are not in a namespace: who may not read them is told so.
    expect(finding(result, 'Pod Security')).toMatchObject({ verdict: 'unknown' });
  });

  test('the least Role is enough for workloads, for labels and for ls', async () => {
    await using other = await makeNamespace();
    await kubectlWithInput(['apply', '-f', '-'], leastRole(other.name));
    await kubectl('create', 'rolebinding', 'lou', '--role=hotexec', '--user=lou', '-n', other.name);
    const image = await clusterImageOfProgram(newcomer);
    const labels = { app: 'few' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } };
    const spec = { selector: { matchLabels: labels }, template };
    for (const kind of ['Deployment', 'DaemonSet'])
      await apply(other.name, { apiVersion: 'apps/v1', kind, metadata: { name: 'few', labels }, spec });
    await rolledOut(other.name, 'deployment/few');
    await rolledOut(other.name, 'daemonset/few');
    const who = ['-n', other.name, '--as', 'lou'];
    for (const target of [['deployment/few'], ['daemonsets', '-l', 'app=few'], ['pods', '-l', 'app=few']]) {
      expect(await kubectlHotexec('doctor', ...target, ...who)).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await kubectlHotexec('restart', ...target, ...who)).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(await kubectlHotexec('ls', ...who)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('that is not there is named', async () => {
    const { exitCode, result } = await doctor('-n', 'nobody-has-it');
    expect(exitCode).toBe(5);
    expect(finding(result, 'namespace')).toMatchObject({
      blocking: true,
      meaning: 'there is no namespace nobody-has-it',
    });
  });
});

describe('who lacks something', () => {
  test.each([
    ['a user', 'mia@example.com', 'mia@example.com'],
    ['a service account', 'deployer', 'system:serviceaccount:NAMESPACE:deployer'],
  ])('%s: each right is named, and with the Role as it is printed a restart works', async (_what, name, as) => {
    await using other = await makeNamespace();
    const image = await clusterImageOfProgram(newcomer);
    const pod = await startPod(other.name, podManifest('web', { image }));
    const user = as.replace('NAMESPACE', other.name);
    const who = ['-n', other.name, '--as', user];
    await kubectl('create', 'role', 'looker', '--verb=get,list', '--resource=pods', '-n', other.name);
    await kubectl('create', 'rolebinding', name, '--role=looker', `--user=${user}`, '-n', other.name);

    const { exitCode, result } = await doctor(pod.name, ...who);
    expect(exitCode).toBe(5);
    expect(rightsWith('yes', result)).toEqual(['get pods', 'list pods']);
    expect(finding(result, 'patch pods/ephemeralcontainers')).toMatchObject({
      verdict: 'no',
      blocking: true,
      remedy: 'the Role below',
    });
    expect(finding(result, 'get pods/exec').blocking).toBe(true);
    expect(finding(result, 'get deployments')).toMatchObject({ verdict: 'no', blocking: false });

    const { stdout } = await kubectlHotexec('doctor', pod.name, ...who);
    const printed = stdout.slice(stdout.indexOf('apiVersion:'));
    expect(`${result.cluster?.role ?? ''}\n`).toBe(printed);
    await kubectlWithInput(['apply', '-f', '-'], printed);

    const after = await doctor(pod.name, ...who);
    expect(after).toMatchObject({ exitCode: 0, result: { possible: true, cluster: { role: null } } });
    expect(await kubectlHotexec('restart', pod.name, ...who)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([
    ['get pods', { pods: [], 'pods/ephemeralcontainers': ['patch'], 'pods/exec': ['get', 'create'] }],
    [
      'patch pods/ephemeralcontainers',
      { pods: ['get'], 'pods/ephemeralcontainers': [], 'pods/exec': ['get', 'create'] },
    ],
    ['get pods/exec', { pods: ['get'], 'pods/ephemeralcontainers': ['patch'], 'pods/exec': ['create'] }],
  ])('without %s alone neither the doctor nor a restart lets it pass', async (right, verbs) => {
    const user = right.replaceAll(/[ /]/g, '-');
    const pod = await startNewcomer(namespace.name, `less-${user}`);
    const rules = Object.entries(verbs).map(([resource, of]) => ({
      apiGroups: [''],
      resources: [resource],
      verbs: of,
    }));
    await allow(
      user,
      namespace.name,
      rules.filter((rule) => rule.verbs.length > 0),
    );
    const { exitCode, result } = await doctorOf(pod, '--as', user);
    expect(exitCode).toBe(5);
    const needed = result.findings.filter(({ section, blocking }) => section === 'Rights' && blocking);
    expect(needed.map(({ subject }) => subject)).toEqual([right]);
    expect(await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--as', user)).toMatchObject({ exitCode: 5 });
  });

  test('a Role for one pod alone is enough for that pod', async () => {
    const pod = await startNewcomer(namespace.name, 'only-this');
    await startNewcomer(namespace.name, 'not-this');
    await allow('one', namespace.name, [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'], resourceNames: [pod.name] },
      { apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'], resourceNames: [pod.name] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'], resourceNames: [pod.name] },
    ]);
    expect(await doctorOf(pod, '--as', 'one')).toMatchObject({ exitCode: 0, result: { possible: true } });
    const other = await doctor('not-this', '-n', namespace.name, '--as', 'one');
    expect(other).toMatchObject({ exitCode: 5, result: { possible: false } });
  });

  test('create of pods/exec is missed, and a server before 1.35 does without', async () => {
    const pod = await startNewcomer(namespace.name, 'no-create');
    await allow('gil', namespace.name, [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get'] },
    ]);
    const { exitCode, result } = await doctorOf(pod, '--as', 'gil');
    expect(finding(result, 'create pods/exec')).toMatchObject({ verdict: 'no', blocking: false });
    expect(exitCode).toBe(0);
    const restarted = await kubectlHotexec('restart', pod.name, '-n', pod.namespace, '--as', 'gil');
    expect(restarted.exitCode).toBe(0);
  });
});

describe('a cluster', () => {
  test('that does not answer', async () => {
    const kubeconfig = kubeconfigOf({ server: 'https://127.0.0.1:1' }, { token: 'none' });
    const { exitCode, result } = await doctor('--kubeconfig', kubeconfig);
    expect(exitCode).toBe(5);
    expect(result.findings).toMatchObject([{ subject: 'API server', blocking: true }]);
    expect(finding(result, 'API server').meaning).toContain('127.0.0.1:1 does not answer');
  });

  test('that does not let one act as somebody else', async () => {
    const server = await kubectl('config', 'view', '--raw', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const token = await kubectl('create', 'token', 'default', '-n', namespace.name);
    const kubeconfig = kubeconfigOf({ server, 'insecure-skip-tls-verify': true }, { token });
    const own = await doctor('--kubeconfig', kubeconfig, '-n', namespace.name);
    expect(finding(own.result, 'who asks').meaning).toContain(`system:serviceaccount:${namespace.name}:default`);
    const other = await doctor('--kubeconfig', kubeconfig, '-n', namespace.name, '--as', 'jane');
    expect(other.exitCode).toBe(5);
    expect(other.result.findings).toMatchObject([{ subject: 'who asks', blocking: true }]);
    const words = ['ls', '--kubeconfig', kubeconfig, '-n', namespace.name, '--as', 'jane'];
    expect((await kubectlHotexec(...words)).stderr).toMatch(/does not let you act as somebody else \(--as\)/);
  });

  test('that does not know who is asking', async () => {
    const server = await kubectl('config', 'view', '--raw', '-o', 'jsonpath={.clusters[0].cluster.server}');
    const kubeconfig = kubeconfigOf({ server, 'insecure-skip-tls-verify': true }, { token: 'nobody-gave-it' });
    const { exitCode, result } = await doctor('--kubeconfig', kubeconfig);
    expect(exitCode).toBe(5);
    expect(result.findings).toMatchObject([{ subject: 'who asks', blocking: true }]);
  });
});

function kubeconfigOf(cluster: Data, user: Data): string {
  const file = join(tempDirectory(), 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    users: [{ name: 'c', user }],
    'current-context': 'c',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
