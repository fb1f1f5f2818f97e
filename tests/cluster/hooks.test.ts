// The lifecycle hooks of a container, run around its restart in place with --hooks. Kubernetes has run postStart once before, at the pod's start.
import { expect, test } from 'vitest';
import type { Plan } from '../../src/protocol/plan.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { command, hooked, type Around, idle, saidBy, says } from '../support/cluster/hooked.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { podIdentity } from '../support/cluster/in-place.ts';
import type { Data } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startPod, type Pod } from '../support/cluster/pod.ts';
import { busybox } from '../support/docker/programs/busybox.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...busybox.needs);
const namespace = namespaceForTests();
agentForTests();

async function start(name: string, lifecycle: Data, around: Around = {}): Promise<Pod> {
  return await startPod(namespace.name, await hooked(name, lifecycle, around));
}

const inNamespace = (): readonly string[] => ['-n', namespace.name];

const both = { preStop: command(says('preStop')), postStart: command(says('postStart')) };

test('preStop runs before the stop signal, postStart after the start of the new program', async () => {
  const pod = await start('both', both);
  const before = await podIdentity(pod);
  const { exitCode, result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect({ exitCode, warnings: result.warnings }).toEqual({ exitCode: 0, warnings: [] });
  expect(result.hooks).toMatchObject([
    { hook: 'preStop', program: 'old', action: 'exec', end: 'succeeded', exitCode: 0 },
    { hook: 'postStart', program: 'new', action: 'exec', end: 'succeeded', exitCode: 0 },
  ]);
  expect(result.drain).toMatchObject({ signal: 'SIGTERM', end: 'exited', exitCode: 0 });
  const said = await saidBy(pod, 'postStart', 2);
  expect(said.slice(2, 4)).toEqual(['preStop', 'stopping']);
  expect(said.slice(4).toSorted()).toEqual(['postStart', 'started']);
  expect(await podIdentity(pod)).toEqual(before);
});

test('a preStop hook that takes longer than the grace period is not waited for: the signal is sent, and the program has two seconds', async () => {
  const pod = await start('long', { preStop: command(`${says('preStop')}; /busybox sleep 300`) });
  const { exitCode, result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect(exitCode).toBe(0);
  expect(result.hooks).toMatchObject([{ hook: 'preStop', end: 'unfinished', exitCode: null }]);
  expect(result.hooks[0]?.ms).toBeGreaterThanOrEqual(2000);
  expect(result.warnings).toEqual(['the preStop hook (exec) has not ended within 2 s, and is not waited for any more']);
  expect(result.drain).toMatchObject({ signal: 'SIGTERM', end: 'exited', exitCode: 0 });
  expect((await saidBy(pod, 'started', 2)).slice(1, 4)).toEqual(['preStop', 'stopping', 'started']);
});

test('the time of a preStop hook is taken from the grace period of a program that does not end', async () => {
  const stubborn = { command: ['/busybox', 'sh', '-c', `trap '' QUIT; trap 'echo asked' TERM; echo started; ${idle}`] };
  const preStop = command('/busybox sleep 1');
  const around = { spec: { terminationGracePeriodSeconds: 4 }, container: stubborn };
  const pod = await start('stubborn', { preStop }, around);
  const { result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect(result).toMatchObject({ outcome: 'restarted', drain: { end: 'forced' }, hooks: [{ end: 'succeeded' }] });
  expect(result.drain.ms).toBeGreaterThanOrEqual(4000);
  expect(result.drain.ms).toBeLessThan(5000);
});

test('a preStop hook that fails is told, and the restart goes on as the kubelet would', async () => {
  const pod = await start('fails', { preStop: command('exit 3') });
  const { exitCode, stderr, result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect(exitCode).toBe(0);
  expect(result).toMatchObject({ outcome: 'restarted', hooks: [{ end: 'failed', exitCode: 3 }] });
  expect(result.warnings).toEqual(['the preStop hook (exec) exited with 3']);
  expect(stderr).toBe('');
  const missing = await start('missing', { preStop: { exec: { command: ['/no/such/command'] } } });
  const second = await kubectlHotexecJson('restart', missing.name, '--hooks', ...inNamespace());
  expect(second.result).toMatchObject({ outcome: 'restarted', hooks: [{ end: 'failed', exitCode: null }] });
  expect(second.result.warnings[0]).toMatch(/^the preStop hook \(exec\) could not be run: .*no such file/);
});

test('a program that its preStop hook ends is caught, and followed by the new one in the same container', async () => {
  const pod = await start('by-signal', { preStop: command('kill -TERM 1; /busybox sleep 300') });
  const before = await podIdentity(pod);
  const { result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect(result).toMatchObject({ outcome: 'restarted', drain: { signal: null, end: 'exited', exitCode: 0 } });
  expect(result.hooks).toMatchObject([{ hook: 'preStop', end: 'unfinished' }]);
  expect(await podIdentity(pod)).toEqual(before);
});

test('a program without a handler for its stop signal is replaced when its preStop hook has ended', async () => {
  const deaf = { command: ['/busybox', 'sh', '-c', `echo started; ${idle}`] };
  const pod = await start('deaf', { preStop: command(says('preStop')) }, { container: deaf });
  const { result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  expect(result).toMatchObject({ outcome: 'restarted', drain: { signal: null, end: 'skipped' } });
  expect(result.hooks).toMatchObject([{ hook: 'preStop', end: 'succeeded' }]);
  expect(await saidBy(pod, 'started', 2)).toEqual(['started', 'preStop', 'started']);
});

/** For the new program of `--env BROKEN=1` alone. */
const failsForOne = command(`${says('postStart')}; ! /busybox grep -q BROKEN /proc/1/environ`);

test('a new program whose postStart hook fails is rolled back, and the previous one has its own', async () => {
  const pod = await start('rolled-back', { postStart: failsForOne });
  const words = ['restart', pod.name, '--hooks', '--env', 'BROKEN=1', ...inNamespace()];
  const { exitCode, result } = await kubectlHotexecJson(...words);
  expect(exitCode).toBe(3);
  expect(result).toMatchObject({
    outcome: 'rolled-back',
    failed: { reason: 'post-start-hook' },
    error: { code: 'new-program-failed' },
  });
  expect(result.error?.message).toContain('ran, but its postStart hook had not succeeded');
  expect(result.hooks).toMatchObject([
    { hook: 'postStart', program: 'new', end: 'failed', exitCode: 1 },
    { hook: 'postStart', program: 'previous', end: 'succeeded' },
  ]);
  await saidBy(pod, 'postStart', 3);
  expect(await pod.exec('/busybox', 'grep', '-c', 'BROKEN', '/proc/1/environ').catch(() => 'none')).toBe('none');
});

test('without a way back a postStart hook that fails is a warning, and the new program stays', async () => {
  const pod = await start('stays', { postStart: failsForOne });
  for (const flags of [['--no-rollback'], ['--probation', '0', '--no-handover']]) {
    const words = ['restart', pod.name, '--hooks', '--env', 'BROKEN=1', ...flags, ...inNamespace()];
    const { exitCode, result } = await kubectlHotexecJson(...words);
    expect({ exitCode, warnings: result.warnings }).toEqual({
      exitCode: 0,
      warnings: ['the postStart hook (exec) exited with 1'],
    });
  }
});

test('sleep and httpGet are run, tcpSocket is not, and neither is a preStop hook of a program that is not asked to finish', async () => {
  const httpd = { command: ['/busybox', 'httpd', '-f', '-vv', '-p', '8080', '-h', '/www'] };
  const ports = { ports: [{ name: 'web', containerPort: 8080 }] };
  const lifecycle = { preStop: { httpGet: { path: '/bye', port: 'web' } }, postStart: { sleep: { seconds: 1 } } };
  const pod = await start('others', lifecycle, { container: { ...httpd, ...ports } });
  const { exitCode, result } = await kubectlHotexecJson('restart', pod.name, '--hooks', ...inNamespace());
  // It answers 404, which is an answer.
  expect({ exitCode, hooks: result.hooks }).toMatchObject({
    exitCode: 0,
    hooks: [
      { hook: 'preStop', action: 'httpGet', end: 'succeeded' },
      { hook: 'postStart', action: 'sleep', end: 'succeeded' },
    ],
  });
  expect(result.hooks[1]?.ms).toBeGreaterThanOrEqual(1000);
  expect(await pod.logs()).toContain('url:/bye');

  const notAsked = await kubectlHotexecJson('restart', pod.name, '--hooks', '--no-drain', ...inNamespace());
  expect(notAsked.result.hooks).toMatchObject([
    { hook: 'preStop', end: 'not-run' },
    { hook: 'postStart', end: 'succeeded' },
  ]);
  expect(notAsked.result.warnings).toContain(
    'the preStop hook (httpGet) is not run: the old program is not asked to finish (asked for)',
  );

  const tcp = await start('tcp', { preStop: { tcpSocket: { port: 1 } } });
  const third = await kubectlHotexecJson('restart', tcp.name, '--hooks', ...inNamespace());
  expect(third).toMatchObject({ exitCode: 0, result: { hooks: [] } });
  expect(third.result.warnings).toEqual([
    'the preStop hook (tcpSocket) is not run: the kubelet runs none of this kind',
  ]);
});

test('a plan says which hooks would be run, and without --hooks that none is', async () => {
  const pod = await start('planned', both);
  const planned = await kubectlHotexecJson<Plan>('plan', 'restart', pod.name, '--hooks', ...inNamespace());
  expect(planned.result).toMatchObject({
    hooks: [
      { hook: 'preStop', action: 'exec', withinMs: 2000 },
      { hook: 'postStart', action: 'exec' },
    ],
    warnings: [],
  });
  const calls = planned.result.steps.flatMap((step) => step.calls.map(({ call }) => call));
  expect(calls).toContain('run the preStop hook (exec), and wait for its end   <- the point of no return');
  const without = await kubectlHotexecJson<Plan>('plan', 'restart', pod.name, ...inNamespace());
  expect(without.result).toMatchObject({
    hooks: [],
    warnings: [
      'the preStop hook (exec) is not run: --hooks runs it',
      'the postStart hook (exec) is not run: --hooks runs it',
    ],
  });
  expect(await saidBy(pod, 'postStart')).toHaveLength(2);
});
