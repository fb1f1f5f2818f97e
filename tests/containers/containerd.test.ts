// A node without Kubernetes: a real containerd, pods made over CRI as the kubelet makes them, and containers that only containerd knows.
import { readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Inspection } from '../../src/protocol/inspection.ts';
import type { Plan } from '../../src/protocol/plan.ts';
import type { TargetList } from '../../src/targets/list/list.ts';
import { runContainer, type RunContainer } from '../support/containerd/container.ts';
import { startContainerd, type Containerd } from '../support/containerd/daemon.ts';
import { startPod, type Pod, type PodContainer } from '../support/containerd/pods.ts';
import { change } from '../support/docker/change.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { executionOf, startTicks, statusOf } from '../support/docker/proc.ts';
import { buildOf } from '../support/docker/programs/newcomer.ts';
import { start } from '../support/docker/program.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { needs, needsHere } from '../support/needs.ts';

const commands = ['containerd', 'ctr', 'runc', 'gcc'].map((command) => ({ command }));

// runc knows the containers of all containerds of a machine by namespace and id.
const own = `hotexec-test-${process.pid}`;
const another = `other-${own}`;

let containerd: Containerd;
let web: Pod;
let redis: RunContainer;

// Everything is asked of this one: in hotexec's environment, as crictl would be told.
beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  containerd = await startContainerd();
  process.env['CONTAINER_RUNTIME_ENDPOINT'] = `unix://${containerd.socket}`;
  web = await startPod(containerd, { name: 'web-0', namespace: 'shop', containers: ['app', 'side'], graceSeconds: 7 });
  redis = await runContainer(containerd, { id: 'redis', namespace: own });
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await web?.[Symbol.asyncDispose]();
  await containerd?.[Symbol.asyncDispose]();
});

describe('hotexec ls', () => {
  needs('root', ...commands);

  test('lists each container of pods and of containerd once, with its process, and no sandbox', async () => {
    const { items, unreachable } = await list();
    expect(unreachable).toEqual([]);
    const found = items.filter(({ runtime }) => runtime === 'containerd');
    const [app, side] = web.containers.map(({ id }) => id);
    const pod = { runtime: 'containerd', pod: 'web-0', namespace: 'shop', containerdNamespace: null };
    expect(found).toEqual([
      expect.objectContaining({
        target: 'containerd/redis',
        container: 'redis',
        containerdNamespace: own,
        pod: null,
      }),
      expect.objectContaining({ ...pod, target: `cri/${app?.slice(0, 12)}`, container: 'app', id: app }),
      expect.objectContaining({ ...pod, target: `cri/${side?.slice(0, 12)}`, container: 'side', id: side }),
    ]);
    for (const { pid, program, startedAt, id } of found) {
      expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(id);
      expect(program).toEqual(['/app/server']);
      expect(Math.abs(Date.now() - Date.parse(startedAt))).toBeLessThan(600_000);
    }
  });

  test("lists Docker's containers too", async (context) => {
    needsHere(context, 'docker', ...busybox.needs);
    await using container = await start(busybox);
    const found = (await list()).items.filter(({ id }) => id === container.id);
    expect(found).toEqual([
      expect.objectContaining({ target: container.target, runtime: 'docker', pod: null, pid: container.pid }),
    ]);
  });

  test('is a table, narrowed by words; -q is what a restart takes', async () => {
    const { exitCode, stdout } = await hotexec('ls', 'SHOP', 'side');
    expect(exitCode).toBe(0);
    const [heading, row, ...more] = stdout.trimEnd().split('\n');
    expect(heading?.split(/ {2,}/)).toEqual(['TARGET', 'POD', 'NAMESPACE', 'CONTAINER', 'PID', 'AGE', 'PROGRAM']);
    expect(row).toMatch(/^cri\/[\da-f]{12} +web-0 +shop +side +\d+ +\w+ +\/app\/server$/);
    expect(more).toEqual([]);
    const { stdout: target } = await hotexec('ls', '-q', 'web-0', 'side');
    expect((await change('inspect', target.trim())).exitCode).toBe(0);
  });

  test('says that there is nothing of that kind', async () => {
    const { exitCode, stdout, stderr } = await hotexec('ls', 'no-such-word');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toContain('No container that runs here mentions "no-such-word".');
  });

  test('names a runtime that is said to be there and is not', async () => {
    const { exitCode, stdout, stderr } = await hotexec('ls', '--runtime-endpoint', `${containerd.directory}/none.sock`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toMatch(/warning: No container runtime is at unix:\/\/\S+none\.sock \(from --runtime-endpoint\)/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a container of a pod', () => {
  needs('root', ...commands);

  test('is restarted by the beginning of its id, with one log of both runs', async () => {
    const [app] = web.containers;
    await expectRestart(`cri/${app?.id.slice(0, 10)}`, app);
    const logs = await app?.logs();
    expect(logs?.match(/version 1 serves/g)?.length).toBeGreaterThanOrEqual(2);
  });

  test('is restarted by the names of its pod and itself', async () => {
    const [, side] = web.containers;
    await expectRestart('pod/web-0', side, '--local', '-n', 'shop', '-c', 'side');
    await expectRestart('pod/web-0', side, '--local', '--container', 'side', '--from', 'spec');
  });

  test('gets another program, and its own again', async () => {
    const [app] = web.containers;
    const where = ['pod/web-0', '--local', '-c', 'app'];
    const replaced = await change('replace', ...where, '--with', buildOf(2));
    expect(replaced).toMatchObject({ exitCode: 0, result: { outcome: 'restarted' } });
    expect(await app?.ask()).toContain('version 2 ');
    expect(await change('replace', ...where, '--with', buildOf(3), '--', 'exit', '1')).toMatchObject({ exitCode: 3 });
    expect(await app?.ask()).toContain('version 2 ');
    expect(await change('rollback', ...where)).toMatchObject({ exitCode: 0 });
    expect(await app?.ask()).toContain('version 1 ');
  });

  test('is told to finish as the kubelet would: the signal of its image, the grace period of its pod', async () => {
    const where = ['pod/web-0', '--local', '-c', 'side'];
    const plan = (await json('plan', 'restart', ...where)) as Plan;
    expect(plan).toMatchObject({ possible: true, drain: { signal: 'SIGUSR2', gracePeriodMs: 7_000 } });
    const inspection = (await json('inspect', ...where)) as Inspection;
    expect(inspection).toMatchObject({
      container: { id: web.containers[1]?.id, name: 'shop/web-0/side', runtime: 'containerd' },
      program: { spec: { argv: ['/app/server'] } },
      drift: [],
    });
    const { exitCode, stdout } = await hotexec('doctor', ...where);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('with CRI (containerd');
  });

  test('is the one that the annotation of its pod names, when none is named', async () => {
    await using pod = await startPod(containerd, {
      name: 'two',
      namespace: 'annotated',
      containers: ['helper', 'main'],
      annotations: { 'kubectl.kubernetes.io/default-container': 'main' },
    });
    await expectRestart('pod/two', pod.containers[1], '--local');
  });

  test('is told from the others where all of a pod share one pid namespace', async () => {
    const names = ['one', 'two', 'hotexec-0-1-0-1'];
    await using pod = await startPod(containerd, {
      name: 'shared',
      namespace: 'shop',
      containers: names,
      sharesPids: true,
    });
    const [, second] = pod.containers;
    await expectRestart('pod/shared', second, '--local', '-c', 'two');
    const inspection = (await json('inspect', `cri/${second?.id}`)) as Inspection;
    expect(Number((await statusOf(inspection.pid)).get('NSpid')?.split(/\s+/).at(-1))).toBeGreaterThan(1);
    expect(inspection.program.spec?.argv).toEqual(['/app/server']);
    // An agent of hotexec is nothing to restart.
    const listed = (await list()).items.filter((item) => item.pod === 'shared');
    expect(listed.map((item) => item.container)).toEqual(['one', 'two']);
  });

  test.each([
    [['pod/web-0', '--local'], { exitCode: 2, code: 'usage' }, /several containers: app, side\. Nothing .*-c app/s],
    [
      ['pod/web-0', '--local', '-c', 'sid'],
      { exitCode: 5, code: 'target-not-found' },
      /is none of its containers.*Did you mean -c side\?/s,
    ],
    [['pod/web-1', '--local'], { exitCode: 5, code: 'target-not-found' }, /Did you mean pod\/web-0\?/],
    [
      ['pod/web-0', '--local', '-n', 'other'],
      { exitCode: 5, code: 'target-not-found' },
      /It runs here in namespace shop/,
    ],
    [['cri/side'], { exitCode: 5, code: 'target-not-found' }, /Did you mean cri\/[\da-f]{12} \(shop\/web-0\/side\)\?/],
    [['cri/0000000000'], { exitCode: 5, code: 'target-not-found' }, /there is no such container/],
    [['docker/web', '--local'], { exitCode: 2, code: 'usage' }, /--local is for a pod/],
    [['containerd/redis', '-n', 'default'], { exitCode: 2, code: 'usage' }, /--containerd-namespace/],
  ])('refuses %j', async (words, expected, says) => {
    expect(await refused(words)).toMatchObject({ ...expected, message: expect.stringMatching(says) as string });
  });

  test('refuses a sandbox, by either of its names', async () => {
    const id = web.sandboxId.slice(0, 12);
    expect(await refused([`cri/${id}`])).toMatchObject({ exitCode: 5, code: 'target-excluded' });
    expect(await refused([`containerd/${id}`])).toMatchObject({ exitCode: 5, code: 'target-excluded' });
  });

  test('refuses one that has ended, and takes the one that still runs', async () => {
    const names = ['a', 'b'];
    await using pod = await startPod(containerd, { name: 'ending', namespace: 'shop', containers: names });
    const [first, second] = pod.containers;
    await pod.stop(first as PodContainer);
    const ended = await refused([`cri/${first?.id}`]);
    expect(ended).toMatchObject({ exitCode: 5, code: 'target-not-found' });
    expect(ended.message).toContain('does not run (exited)');
    // The only one that still runs.
    await expectRestart('pod/ending', second, '--local');
    const gone = await refused(['pod/ending', '--local', '-c', 'a']);
    expect(gone).toMatchObject({ exitCode: 5, code: 'target-not-found' });
  });
});

describe('a container that only containerd knows', () => {
  needs('root', ...commands);

  test('is restarted, gets another program, and its own again', async () => {
    await expectRestart('containerd/redis', redis);
    expect(await change('replace', 'containerd/redis', '--with', buildOf(2))).toMatchObject({ exitCode: 0 });
    expect(await redis.ask()).toContain('version 2 ');
    expect(await change('rollback', `containerd/${own}/redis`)).toMatchObject({ exitCode: 0 });
    expect(await redis.ask()).toContain('version 1 ');
    const inspection = (await json('inspect', 'containerd/red')) as Inspection;
    expect(inspection).toMatchObject({
      container: { id: `${own}/redis`, name: `${own}/redis`, runtime: 'containerd' },
      program: { spec: { argv: ['/app/server'] } },
    });
  });

  test('must be clear: of two with one name, the namespace says which', async () => {
    await using other = await runContainer(containerd, { id: 'redis', namespace: another });
    const { exitCode, code, message } = await refused(['containerd/redis']);
    expect({ exitCode, code }).toEqual({ exitCode: 2, code: 'usage' });
    expect(message).toContain(`containerd/${own}/redis, containerd/${another}/redis`);
    await expectRestart(`containerd/${another}/redis`, other);
    await expectRestart('containerd/redis', redis, '--containerd-namespace', own);
    const targets = (await list()).items.map(({ target }) => target);
    expect(targets).toContain(`containerd/${another}/redis`);
    expect(targets).toContain(`containerd/${own}/redis`);
  });

  test('is found by the name that nerdctl gave it, under its long id', async () => {
    const id = 'ab'.repeat(32);
    await using named = await runContainer(containerd, { id, namespace: own, labels: ['nerdctl/name=cache'] });
    await expectRestart('containerd/cache', named);
    expect((await list()).items).toContainEqual(expect.objectContaining({ target: 'containerd/cache', id }));
  });

  test('is refused while it is paused, or when it is not there', async () => {
    await containerd.ctr(own, 'tasks', 'pause', 'redis');
    const paused = await refused(['containerd/redis']);
    await containerd.ctr(own, 'tasks', 'resume', 'redis');
    expect(paused).toMatchObject({ exitCode: 5, code: 'target-frozen' });
    const missing = await refused(['containerd/rediss']);
    expect(missing).toMatchObject({ exitCode: 5, code: 'target-not-found' });
    expect(missing.message).toContain('Did you mean containerd/redis?');
    await redis.ask();
  });
});

async function list(): Promise<TargetList> {
  return (await json('ls')) as TargetList;
}

async function json(...words: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await hotexec(...words, '-o', 'json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

async function refused(words: readonly string[]): ReturnType<typeof change> {
  return await change('restart', ...words);
}

/** The same process and container, another run of the program. */
async function expectRestart(
  target: string,
  container: Pick<PodContainer, 'ask'> | undefined,
  ...flags: readonly string[]
): Promise<void> {
  const { pid } = (await json('inspect', target, ...flags.filter(isOfTarget))) as Inspection;
  const before = await looksOf(pid);
  const firstRun = await container?.ask();
  const execution = await executionOf(pid);
  const { exitCode, message, result } = await change('restart', target, ...flags);
  expect({ exitCode, message }).toMatchObject({ exitCode: 0 });
  expect(result).toMatchObject({ outcome: 'restarted', pid, drain: { signal: 'SIGUSR2', end: 'exited' } });
  expect(await container?.ask()).not.toBe(firstRun);
  expect(await executionOf(pid)).not.toBe(execution);
  expect(await looksOf(pid)).toEqual(before);
}

function isOfTarget(word: string): boolean {
  return word !== '--from' && word !== 'spec';
}

async function looksOf(pid: number): Promise<unknown> {
  return {
    startTicks: await startTicks(pid),
    tracer: (await statusOf(pid)).get('TracerPid'),
    exe: readlinkSync(`/proc/${pid}/exe`),
    cgroup: readFileSync(`/proc/${pid}/cgroup`, 'utf8'),
    mounts: readlinkSync(`/proc/${pid}/ns/mnt`),
  };
}
