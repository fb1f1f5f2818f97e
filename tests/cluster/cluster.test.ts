// What the tests' cluster can do, without hotexec: a test that fails here tells about the cluster.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startArticle } from '../support/cluster/article.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { kubectl, runKubectl } from '../support/cluster/kubectl.ts';
import { fortioLoadFrom } from '../support/cluster/load.ts';
import { apply, podManifest, readyByHttp } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { answersIn, Pod, startPod } from '../support/cluster/pod.ts';
import { startApiServer, stopApiServer } from '../support/cluster/machine/cluster.ts';
import { apiAddress, apiPort, kubernetesVersion } from '../support/cluster/machine/places.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { nginx } from '../support/docker/programs/nginx.ts';
import { python } from '../support/docker/programs/python.ts';
import { httpGet } from '../support/docker/talk.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...[fortio, nginx, busybox, python].flatMap((program) => program.needs));
const namespace = namespaceForTests();

async function startFortio(name: string): Promise<Pod> {
  const image = await clusterImageOfProgram(fortio);
  return await startPod(namespace.name, podManifest(name, { image, ...readyByHttp('/fortio/', 8080) }));
}

test('tells the version that it was built from', async () => {
  const { serverVersion } = JSON.parse(await kubectl('version', '--output', 'json')) as {
    serverVersion: { gitVersion: string };
  };
  expect(serverVersion.gitVersion).toBe(kubernetesVersion);
});

describe('a pod of fortio', () => {
  test('gets ready, its log can be read, and commands run in it', async () => {
    const pod = await startFortio('web');
    expect(await pod.container()).toMatchObject({ restartCount: 0, isReady: true, state: 'running' });
    expect(await pod.logs()).toMatch(fortio.logLine);
    expect(await pod.exec('/fortio', 'version')).toMatch(/^\d+\.\d+\.\d+$/);
    expect(readFileSync(`/proc/${await pod.pid()}/comm`, 'utf8')).toBe('fortio\n');
    expect(await answersIn(pod, fortio)).toBe(await answersIn(pod, fortio));
  });

  test('has an ephemeral container that sees its process as pid 1', async () => {
    const pod = await startFortio('watched');
    const look = ['/busybox', 'sleep', '1000'];
    const image = await clusterImageOfProgram(busybox);
    await pod.addEphemeral({ name: 'look', image, command: look, targetContainerName: 'app' });
    const seen = await pod.execIn('look', ['/busybox', 'cat', '/proc/1/cmdline', '/proc/1/mountinfo']);
    expect(seen).toMatch(/^\/fortio\0server\0/);
    expect(seen).toContain(`/pods/${(await pod.record()).uid}/containers/app/`);
    expect(seen).toContain((await pod.container()).id);
  });
});

test.each([nginx, busybox, python])('$name serves in a pod', async (program) => {
  const image = await clusterImageOfProgram(program);
  const pod = await startPod(namespace.name, podManifest(program.name, { image }));
  expect(await answersIn(pod, program)).not.toBe('');
});

test('pods reach each other, and the API as every pod does', async () => {
  const [web, client] = await Promise.all([startFortio('server'), startFortio('client')]);
  const { address } = await web.record();
  const { answered, failed } = await fortioLoadFrom(client, `http://${address}:8080/`, { seconds: 1 });
  expect(answered).toBeGreaterThan(50);
  expect(failed).toBe(0);
  const authority = ['-cacert', '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'];
  const version = `https://${apiAddress}:${apiPort}/version`;
  expect(await client.exec('/fortio', 'curl', ...authority, version)).toContain(kubernetesVersion);
});

test('the StatefulSet of the article serves with both its pods', async () => {
  const pods = await startArticle(namespace.name);
  expect(pods.map(({ name }) => name)).toEqual(['fortio-server-l2-0', 'fortio-server-l2-1']);
  for (const pod of pods) {
    const { address } = await pod.record();
    // The proxy itself has no such page.
    expect(await httpGet(address, 8070, '/fortio/flags')).toContain('checksum_static');
  }
});

test('a namespace that is restricted refuses a pod that runs as root', async () => {
  await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const manifest = podManifest('root', { image: await clusterImageOfProgram(fortio) });
  await expect(apply(restricted.name, manifest)).rejects.toThrow(/violates PodSecurity "restricted/);
});

test('an image that nobody has is told at once', async () => {
  await apply(namespace.name, podManifest('absent', { image: 'localhost/hotexec-test/absent:1' }));
  const pod = new Pod(namespace.name, 'absent');
  const { phase } = await pod.becomes('one without image', ({ containers }) =>
    /ErrImagePull|ImagePullBackOff/.test(containers['app']?.state ?? ''),
  );
  expect(phase).toBe('Pending');
});

test('pods run on while the API server is away', async () => {
  const pod = await startFortio('alone');
  const before = await pod.container();
  const { address } = await pod.record();
  await stopApiServer();
  try {
    expect((await runKubectl(['get', 'pods', '--request-timeout=2s'])).exitCode).not.toBe(0);
    expect(await httpGet(address, 8080, '/fortio/flags')).toContain('checksum_static');
  } finally {
    await startApiServer();
  }
  expect(await pod.container()).toEqual(before);
});
