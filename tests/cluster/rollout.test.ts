// Many pods: workloads of a real cluster, restarted from the command line.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { RestartList } from '../../src/protocol/list.ts';
import { startArticle } from '../support/cluster/article.ts';
import { rollOut, linesOf } from '../support/cluster/rolling.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { kubectl, runKubectl } from '../support/cluster/kubectl.ts';
import { apply, podManifest, readyByHttp, type Data } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startPod, type Pod, type PodRecord } from '../support/cluster/pod.ts';
import { podsWith, rolledOut } from '../support/cluster/workload.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { fortio } from '../support/docker/programs/fortio.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...fortio.needs);
const namespace = namespaceForTests();
agentForTests();

test('the StatefulSet of the article, under load from a pod: the highest ordinal first, nobody is refused, nothing of a pod changes', async () => {
  const pods = await startArticle(namespace.name);
  const client = await startPod(namespace.name, podManifest('client', { image: await clusterImageOfProgram(fortio) }));
  const before = await recordsOf(pods);

  const loads = await Promise.all(before.map(async ({ address }) => startLoad(client, address)));
  await Promise.all(
    pods.map(async (pod) => until(`load on ${pod.name}`, async () => (await connectionsTo(pod, client)) > connections)),
  );
  const { exitCode, list } = await rollOut(namespace.name, 'restart', 'statefulset/fortio-server-l2');
  const runs = await Promise.all(loads.map(async ({ ended }) => ended));

  expect(exitCode).toBe(0);
  expect(list.items.map(({ target, outcome }) => [target, outcome])).toEqual([
    ['pod/fortio-server-l2-1', 'restarted'],
    ['pod/fortio-server-l2-0', 'restarted'],
  ]);
  // Its readiness probe, asked of the new program.
  expect(list.items.map((item) => item.kind === 'Restart' && item.probation.end)).toEqual(['answered', 'answered']);
  expect(withoutAgents(await recordsOf(pods))).toEqual(withoutAgents(before));
  for (const { stdout, stderr } of runs) {
    expect(stderr).not.toContain('connection refused');
    // The old program drops what it is answering when it gets its SIGTERM: one request of each connection at most.
    const { RetCodes: codes } = JSON.parse(stdout) as { RetCodes: Readonly<Record<string, number>> };
    expect(codes['200']).toBeGreaterThan(100);
    expect(codes['-1'] ?? 0).toBeLessThanOrEqual(connections);
  }
});

test('a Deployment and a new version that cannot start: the first pod goes back, the others are untouched', async () => {
  const pods = await startDeployment('broken');
  const before = await recordsOf(pods);
  const broken = ['/fortio', 'server', '-no-such-flag'];
  const { exitCode, list, stderr } = await rollOut(namespace.name, 'restart', 'deployment/broken', '--', ...broken);
  expect(exitCode).toBe(3);
  expect(list.items).toHaveLength(1);
  expect(list.items[0]).toMatchObject({ outcome: 'rolled-back', error: { code: 'new-program-failed' } });
  expect(list.untouched).toHaveLength(2);
  expect(stderr).toMatch(/^error: pod\/broken-.*\n/);
  expect(withoutAgents(await recordsOf(pods))).toEqual(withoutAgents(before));
  const touched = (await recordsOf(pods)).filter(({ containers }) => Object.keys(containers).length > 1);
  expect(touched).toHaveLength(1);
});

test('a new version that listens and is never ready goes back, however ready the API believes the pod to be', async () => {
  await startDeployment('elsewhere');
  const elsewhere = ['/fortio', 'server', '-http-port', '8090'];
  const flags = ['--timeout', '20s'];
  const { exitCode, list } = await rollOut(
    namespace.name,
    'restart',
    'deployment/elsewhere',
    ...flags,
    '--',
    ...elsewhere,
  );
  expect(exitCode).toBe(3);
  expect(list.items[0]).toMatchObject({ outcome: 'rolled-back', failed: { reason: 'probe-timeout' } });
  expect(list.untouched).toHaveLength(2);
});

test('Ctrl-C between two pods leaves the rest untouched', async () => {
  await startDeployment('interrupted');
  let list: RestartList | undefined;
  const args = ['restart', '--namespace', namespace.name, 'deployment/interrupted', '--pause', '1h'];
  const exitCode = await linesOf(args, (line, end) => {
    if (line['kind'] === 'List') list = line as unknown as RestartList;
    if (line['kind'] === 'pod' && line['state'] === 'restarted') end('SIGINT');
  });
  expect(exitCode).toBe(7);
  expect(list?.items).toHaveLength(1);
  expect(list?.untouched).toHaveLength(2);
});

test('a workload goes back to its previous program, and a plan of it names the order', async () => {
  const pods = await startDeployment('back');
  const target = 'deployment/back';
  const verbose = ['/fortio', 'server', '-loglevel', 'verbose'];
  expect((await rollOut(namespace.name, 'restart', target, '--', ...verbose)).exitCode).toBe(0);
  const { exitCode, list } = await rollOut(namespace.name, 'rollback', target, '--max-unavailable', '3');
  expect(exitCode).toBe(0);
  const commands = list.items.map((item) => item.kind === 'Restart' && item.after?.argv.join(' '));
  expect(commands).toEqual(pods.map(() => '/fortio server'));

  const plan = await hotexec('plan', 'restart', '--namespace', namespace.name, target);
  expect(plan.exitCode).toBe(0);
  expect(plan.stdout).toMatch(/^pod\/back-\S+ can be restarted in place/);
  expect(plan.stdout).toMatch(/warning +this is the first of 3 pods; then come pod\/back-\S+, pod\/back-\S+\n/);
});

test('of a Deployment a pod that is deleted in the middle is skipped, and the one that takes its place is named', async () => {
  await startDeployment('shrinking');
  let list: RestartList | undefined;
  let order: readonly string[] = [];
  let restarted = 0;
  const args = ['restart', '--namespace', namespace.name, 'deployment/shrinking', '--pause', '2s'];
  const exitCode = await linesOf(args, async (line) => {
    if (line['kind'] === 'rollout') order = line['pods'] as string[];
    if (line['kind'] === 'List') list = line as unknown as RestartList;
    if (line['kind'] !== 'pod' || line['state'] !== 'restarted') return;
    restarted += 1;
    const [, second = ''] = order;
    if (restarted === 1)
      await kubectl('delete', '--namespace', namespace.name, second, '--grace-period=1', '--wait=true');
  });
  const [first = '', second = '', third = ''] = order;
  expect(exitCode).toBe(0);
  expect(list?.items.map(({ target }) => target)).toEqual([first, third]);
  expect(list?.skipped).toEqual([{ target: second, why: 'it was deleted' }]);
  expect(list?.appeared).toHaveLength(1);
  expect(order).not.toContain(list?.appeared[0]);
});

test('pods that are selected, two at a time', async () => {
  const pods = await startDeployment('selected');
  const where = ['--namespace', namespace.name, 'pods', '-l', 'app=selected'];
  const { exitCode, stdout } = await hotexec('restart', ...where, '--max-unavailable', '70%');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^pod -l app=selected: 3 pods, 2 at a time\n/);
  for (const { target } of pods) expect(stdout).toContain(`${target} restarted in place: held `);
  expect(stdout).toMatch(/\npod -l app=selected: 3 of 3 pods restarted in place\n$/);
});

test('a workload whose own rollout is under way is refused', async () => {
  await startDeployment('rolling');
  await kubectl(
    'set',
    'image',
    '--namespace',
    namespace.name,
    'deployment/rolling',
    'app=localhost/hotexec-test/none:1',
  );
  const { exitCode, stderr } = await hotexec('restart', '--namespace', namespace.name, 'deployment/rolling');
  expect(exitCode).toBe(5);
  expect(stderr).toMatch(
    /^error: deployment\/rolling: a rollout is under way .*Nothing was touched\.\nhint: kubectl rollout status/,
  );
});

test('a pod whose liveness probe is less patient than its grace period is refused before anything is put into it', async () => {
  const livenessProbe = { httpGet: { path: '/fortio/', port: 8080 }, periodSeconds: 2 };
  const image = await clusterImageOfProgram(fortio);
  const spec = { terminationGracePeriodSeconds: 30 };
  const pod = await startPod(namespace.name, podManifest('impatient', { image, livenessProbe }, spec));
  const restart = ['restart', '--namespace', namespace.name, pod.target];
  const { exitCode, stderr } = await hotexec(...restart);
  expect(exitCode).toBe(5);
  expect(stderr).toContain(
    'its liveness probe (httpGet :8080/fortio/ every 2s, 3 failures, timeout 1s) has the kubelet kill the container after 7s of silence',
  );
  expect(Object.keys((await pod.record()).containers)).toEqual(['app']);
  expect((await hotexec(...restart, '--grace-period', '7s')).exitCode).toBe(0);
  expect((await pod.container()).restartCount).toBe(0);
});

const replicas = 3;

async function startDeployment(name: string): Promise<Pod[]> {
  const labels = { app: name };
  const container: Data = {
    name: 'app',
    image: await clusterImageOfProgram(fortio),
    ...readyByHttp('/fortio/', 8080),
    startupProbe: { httpGet: { path: '/fortio/', port: 8080 }, periodSeconds: 1, failureThreshold: 5 },
  };
  const spec = { terminationGracePeriodSeconds: 2, containers: [container] };
  await apply(namespace.name, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
  await rolledOut(namespace.name, `deployment/${name}`);
  return await podsWith(namespace.name, `app=${name}`);
}

async function recordsOf(pods: readonly Pod[]): Promise<PodRecord[]> {
  return await Promise.all(pods.map(async (pod) => pod.record()));
}

/** The agents beside the programs are the only thing that has come. */
function withoutAgents(records: readonly PodRecord[]): unknown {
  return records.map(({ containers, ...record }) => ({
    ...record,
    containers: Object.entries(containers).filter(([name]) => !name.startsWith('hotexec-')),
  }));
}

const connections = 4;

/** A connection for each request, 150 a second for 8 s, from the client's pod. */
function startLoad(client: Pod, address: string): { readonly ended: ReturnType<typeof runKubectl> } {
  const load = ['-qps', '150', '-c', String(connections), '-t', '8s', '-keepalive=false', '-allow-initial-errors'];
  const command = ['/fortio', 'load', ...load, '-json', '-', `http://${address}:8080/echo`];
  return { ended: runKubectl(['exec', '--namespace', client.namespace, client.name, '--', ...command]) };
}

/** Connections from the client, as the kernel lists them in the pod's network: those that have just ended, too. */
async function connectionsTo(pod: Pod, client: Pod): Promise<number> {
  const [pid, { address }] = await Promise.all([pod.pid('main-app'), client.record()]);
  const hex = Buffer.from(address.split('.').map(Number).toReversed()).toString('hex').toUpperCase();
  const table = await readFile(`/proc/${pid}/net/tcp6`, 'utf8');
  return table.split('\n').filter((line) => line.includes(`${hex}:`)).length;
}
