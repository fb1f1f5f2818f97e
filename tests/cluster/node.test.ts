// On a node of a real cluster: what the kubelet has made is found through the container runtime, without the API server.
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/protocol/plan.ts';
import type { TargetList } from '../../src/targets/list/list.ts';
import { clusterImageOfProgram } from '../support/cluster/image.ts';
import { runtimeSocket } from '../support/cluster/machine/places.ts';
import { podManifest, readyByHttp } from '../support/cluster/manifest.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { answersIn, startPod, type Pod } from '../support/cluster/pod.ts';
import { change } from '../support/docker/change.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

const runtime = ['--runtime-endpoint', runtimeSocket];

describe('hotexec on a node', () => {
  needs('cluster', 'root', ...newcomer.needs);
  const namespace = namespaceForTests();

  const start = async (name: string): Promise<Pod> => {
    const image = await clusterImageOfProgram(newcomer);
    return await startPod(namespace.name, podManifest(name, { image, ...readyByHttp('/', 8080) }));
  };

  test('lists the containers of pods with their processes', async () => {
    const pod = await start('listed');
    const { exitCode, stdout } = await hotexec('ls', namespace.name, 'listed', ...runtime, '-o', 'json');
    const { items } = JSON.parse(stdout) as TargetList;
    expect({ exitCode, items }).toMatchObject({
      exitCode: 0,
      items: [{ pod: 'listed', namespace: namespace.name, container: 'app', pid: await pod.pid() }],
    });
  });

  test('restarts, replaces and rolls back a container of a pod, which the cluster does not notice', async () => {
    const pod = await start('changed');
    const where = [pod.target, '--local', '--namespace', namespace.name, ...runtime];
    const before = await pod.record();
    const run = await answersIn(pod, newcomer);

    expect(await change('restart', ...where)).toMatchObject({ exitCode: 0 });
    expect(await answersIn(pod, newcomer)).not.toBe(run);
    expect(await change('replace', ...where, '--with', buildOf(2))).toMatchObject({ exitCode: 0 });
    expect(await answersIn(pod, newcomer)).toContain('version 2 ');
    expect(await change('rollback', ...where)).toMatchObject({ exitCode: 0 });
    expect(await answersIn(pod, newcomer)).toContain('version 1 ');

    expect(await pod.record()).toEqual(before);
    expect((await pod.logs()).match(/version \d serves/g)).toHaveLength(4);
  });

  test('gives a program the time that the pod does', async () => {
    await start('patient');
    const where = ['pod/patient', '--local', '-n', namespace.name, ...runtime];
    const { stdout } = await hotexec('plan', 'restart', ...where, '-o', 'json');
    expect(JSON.parse(stdout) as Plan).toMatchObject({ possible: true, drain: { gracePeriodMs: 2_000 } });
  });
});
