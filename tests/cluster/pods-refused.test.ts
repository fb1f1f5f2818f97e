// What keeps hotexec from a pod: each is recognised, explained with the way out, and leaves the pod untouched. And what passes all the same.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leastRole } from '../../src/targets/kubernetes/role.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { clusterImageOf, clusterImageOfProgram } from '../support/cluster/image.ts';
import { agentsOf, eventsOf, podIdentity } from '../support/cluster/in-place.ts';
import { kubectl, kubectlWithInput, runKubectl } from '../support/cluster/kubectl.ts';
import { staticPodsDirectory } from '../support/cluster/machine/places.ts';
import { apply, podManifest, restrictedSecurity, type Manifest } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import { answersIn, Pod, startPod } from '../support/cluster/pod.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { textFile } from '../support/docker/rootfs.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs, ...busybox.needs);
const namespace = namespaceForTests();
agentForTests();

async function expectRefusal(pod: Pod, says: RegExp, ...flags: readonly string[]): Promise<void> {
  const run = await kubectlHotexec('restart', pod.name, '-n', pod.namespace, ...flags);
  expect(run).toMatchObject({ exitCode: 5, stdout: '' });
  expect(run.stderr).toMatch(says);
  expect(run.stderr).toContain('Nothing was touched.');
}

async function expectRestart(pod: Pod, ...flags: readonly string[]): Promise<void> {
  const before = await podIdentity(pod);
  const run = await answersIn(pod, newcomer);
  const restarted = await kubectlHotexec('restart', pod.name, '-n', pod.namespace, ...flags);
  expect(restarted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await answersIn(pod, newcomer)).not.toBe(run);
  expect(await podIdentity(pod)).toEqual(before);
}

describe('Pod Security admission', () => {
  test('restricted: the user that the pod names works', async () => {
    await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const image = await clusterImageOfProgram(newcomer);
    const securityContext = { ...restrictedSecurity, runAsUser: 1234, runAsGroup: 1234 };
    const pod = await startPod(restricted.name, podManifest('named', { image, securityContext }));
    await expectRestart(pod);
    expect(await agentsOf(pod)).toHaveLength(1);
  });

  test('restricted: a user that the image alone names is asked for', async () => {
    await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const image = await clusterImageOf({
      ...(await newcomer.recipe()),
      name: 'newcomer-1234',
      config: { User: '1234:1234' },
    });
    const pod = await startPod(restricted.name, podManifest('unnamed', { image, securityContext: restrictedSecurity }));
    await expectRefusal(
      pod,
      /Pod Security admission of namespace \S+ \(restricted:latest\) refuses the agent: .*SYS_PTRACE.*The image says which user the program runs as.*\nhint: --agent-user UID:GID/s,
    );
    expect(await agentsOf(pod)).toEqual([]);
    // The kubelet takes no group from an image that names its user by number.
    await expectRestart(pod, '--agent-user', '1234:0');
  });

  test('baseline: a program that runs as root cannot be held', async () => {
    await using baseline = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'baseline' });
    const image = await clusterImageOfProgram(newcomer);
    const pod = await startPod(baseline.name, podManifest('root', { image, securityContext: { runAsUser: 0 } }));
    await expectRefusal(
      pod,
      /\(baseline:latest\) refuses the agent: .*The program runs as root, and so only an agent with SYS_PTRACE/s,
    );
    expect(await agentsOf(pod)).toEqual([]);
  });
});

describe('RBAC', () => {
  test('who may not is told the least Role, and with it may', async () => {
    const pod = await startNewcomer(namespace.name, 'rbac');
    await expectRefusal(
      pod,
      /RBAC does not let you get pods in namespace.*\n.*least Role.*\n\n {2}apiVersion: rbac/s,
      '--as',
      'jane',
    );
    await kubectlWithInput(['apply', '-f', '-'], leastRole(namespace.name));
    await kubectl('create', 'rolebinding', 'jane', '--role=hotexec', '--user=jane', '-n', namespace.name);
    await expectRestart(pod, '--as', 'jane');
    expect(await eventsOf(pod)).toMatchObject([{ reason: 'HotexecRestarted' }]);
  });

  test('who may look and not add the agent leaves the pod as it is', async () => {
    const pod = await startNewcomer(namespace.name, 'looker');
    await kubectl('create', 'role', 'looker', '--verb=get,list', '--resource=pods', '-n', namespace.name);
    await kubectl('create', 'rolebinding', 'joe', '--role=looker', '--user=joe', '-n', namespace.name);
    await expectRefusal(pod, /RBAC does not let you patch pods\/ephemeralcontainers/, '--as', 'joe');
    expect(await agentsOf(pod)).toEqual([]);
  });
});

/** What the API server says of an ephemeral container, tried dry. */
async function tryEphemeral(tried: Pick<Pod, 'namespace' | 'name'>, image: string): Promise<string> {
  const path = `/api/v1/namespaces/${tried.namespace}/pods/${tried.name}`;
  const pod = JSON.parse(await kubectl('get', '--raw', path)) as { readonly spec: object };
  const wanted = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: 'tried', image }] } };
  const put = ['replace', '--raw', `${path}/ephemeralcontainers?dryRun=All`, '--filename', '-'];
  return (await runKubectl(put, JSON.stringify(wanted))).stderr;
}

test('a policy of the cluster that refuses the agent is quoted', async () => {
  await using other = await makeNamespace();
  const image = await clusterImageOfProgram(newcomer);
  const pod = await startPod(other.name, podManifest('policed', { image }));
  const name = `no-agents-${other.name}`;
  const policies = [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
          ],
        },
        validations: [{ expression: 'false', message: 'nobody debugs here' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: {
        policyName: name,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': other.name } } },
      },
    },
  ] satisfies readonly Manifest[];
  await apply(other.name, ...policies);
  try {
    // Not asked by a restart: the first one would be let through, and its agent found by those that follow.
    await until('the policy is in force', async () => (await tryEphemeral(pod, image)).includes('nobody debugs here'), {
      timeoutMs: 60_000,
      pauseMs: 200,
    });
    const { exitCode, stderr } = await kubectlHotexec('restart', pod.name, '-n', other.name);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/an admission of the cluster refuses the agent: .*nobody debugs here/s);
  } finally {
    await kubectl('delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', name);
  }
});

test('where the program has a group of its image alone, its user is not enough, and SYS_PTRACE is taken', async () => {
  const { files, ...recipe } = await newcomer.recipe();
  const passwd = textFile('/etc/passwd', 'app:x:1234:77::/:/bin/false\n');
  const image = await clusterImageOf({ ...recipe, name: 'newcomer-77', files: [...files, passwd] });
  const securityContext = { runAsUser: 1234 };
  const pod = await startPod(namespace.name, podManifest('group', { image, securityContext }));
  await expectRestart(pod);
  expect((await agentsOf(pod)).map(({ securityContext: { runAsUser } }) => runAsUser)).toEqual([1234, 0]);
});

test('a runAsNonRoot of the pod as a whole does not keep the agent from starting', async () => {
  const image = await clusterImageOf({
    ...(await newcomer.recipe()),
    name: 'newcomer-1234',
    config: { User: '1234:1234' },
  });
  const securityContext = { runAsNonRoot: true };
  const pod = await startPod(namespace.name, podManifest('nonroot', { image }, { securityContext }));
  await expectRestart(pod);
});

describe('the agent', () => {
  test('whose image nobody has', async () => {
    const pod = await startNewcomer(namespace.name, 'no-image');
    await expectRefusal(
      pod,
      /the agent \(ephemeral container hotexec-\S+-1\) does not start: ErrImagePull: .*\nhint: --agent-image/s,
      '--agent-image',
      'localhost/hotexec-test/nobody-has-it:1',
    );
    // With another image it goes on.
    await expectRestart(pod);
  });

  test('for which the pod has too little memory', async () => {
    const pod = await startNewcomer(namespace.name, 'small', {
      container: { resources: { limits: { memory: '32Mi' } } },
    });
    await expectRefusal(pod, /pod\/small may use 32 MiB of memory in all, and the agent needs 120 MiB of them/);
    expect(await agentsOf(pod)).toEqual([]);
  });
});

describe('pods', () => {
  test('that are not there: the nearest name is told', async () => {
    await startNewcomer(namespace.name, 'present');
    await expectRefusal(
      new Pod(namespace.name, 'presnet'),
      /there is no such pod in namespace \S+\..*\nhint: Did you mean pod\/present\?/,
    );
  });

  test('that have not begun, or are over', async () => {
    const image = await clusterImageOfProgram(newcomer);
    await apply(
      namespace.name,
      podManifest('waiting', { image: 'localhost/hotexec-test/nobody-has-it:1' }),
      podManifest('over', { image, args: ['exit', '0'] }, { restartPolicy: 'Never' }),
      podManifest('failing', { image, args: ['exit', '3'] }),
    );
    const [waiting, over, failing] = ['waiting', 'over', 'failing'].map((name) => new Pod(namespace.name, name));
    if (waiting === undefined || over === undefined || failing === undefined) throw new Error('three pods were made');
    await over.becomes('over', ({ phase }) => phase === 'Succeeded');
    await failing.becomes('failing', ({ containers }) => (containers['app']?.restartCount ?? 0) > 0);
    await expectRefusal(waiting, /does not run: it is Pending/);
    await expectRefusal(over, /does not run: it is Succeeded/);
    await expectRefusal(failing, /container app (?:has ended with exit code 3|does not run \(CrashLoopBackOff)/);
  });

  test('that are being deleted', async () => {
    // As pid 1 it does not hear SIGTERM: the pod stays for its grace period.
    const image = await clusterImageOfProgram(busybox);
    const spec = { terminationGracePeriodSeconds: 60 };
    const pod = await startPod(
      namespace.name,
      podManifest('leaving', { image, command: ['/busybox', 'sleep', '999'] }, spec),
    );
    await kubectl('delete', 'pod', pod.name, '-n', namespace.name, '--wait=false');
    const run = await kubectlHotexec('restart', pod.name, '-n', namespace.name);
    expect(run).toMatchObject({ exitCode: 8, stdout: '' });
    expect(run.stderr).toContain('pod/leaving is being deleted. Nothing was touched.');
    await kubectl('delete', 'pod', pod.name, '-n', namespace.name, '--grace-period=0', '--force', '--ignore-not-found');
  });

  test('that are static: the API can add nothing to them', async () => {
    const image = await clusterImageOfProgram(newcomer);
    const manifest = podManifest('static', { image }, { hostNetwork: false });
    const file = join(staticPodsDirectory, `static-${namespace.name}.json`);
    writeFileSync(file, JSON.stringify({ ...manifest, metadata: { name: 'static', namespace: namespace.name } }));
    try {
      const pod = new Pod(namespace.name, 'static-hotexec-node');
      await expect
        .poll(
          async () =>
            pod.record().then(
              () => true,
              () => false,
            ),
          { timeout: 60_000 },
        )
        .toBe(true);
      await expectRefusal(pod, /is a static pod: the kubelet of hotexec-node runs it from a file/);
    } finally {
      rmSync(file);
    }
  });
});

test('a server that does not answer, and a kubeconfig that is not there', async () => {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    users: [{ name: 'c', user: { token: 'none' } }],
    'current-context': 'c',
  };
  const file = join(tempDirectory(), 'config');
  writeFileSync(file, JSON.stringify(kubeconfig));
  const unreachable = await kubectlHotexec('restart', 'web', '--kubeconfig', file);
  expect(unreachable).toMatchObject({ exitCode: 5, stdout: '' });
  expect(unreachable.stderr).toMatch(/The API server at 127\.0\.0\.1:1 does not answer: connect ECONNREFUSED/);
  const absent = await kubectlHotexec('restart', 'web', '--kubeconfig', `${file}.none`);
  expect(absent).toMatchObject({ exitCode: 2 });
  const context = await kubectlHotexec('restart', 'web', '--kubeconfig', file, '--context', 'd');
  expect(context.stderr).toContain('The kubeconfig has no context "d".\nhint: It has: c\n');
});
