// What a restart in place leaves alone, and what is there when the kubelet starts the container again: the program of the image.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Inspection } from '../../src/protocol/inspection.ts';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { annotationsOf } from '../support/cluster/in-place.ts';
import { runKubectl } from '../support/cluster/kubectl.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange, startNewcomer } from '../support/cluster/newcomer.ts';
import { answersIn } from '../support/cluster/pod.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

test('kubectl logs -f goes on and volumes stay over a replacement; a start by the kubelet ends it, and inspect shows both', async () => {
  const command = ['/app/server', 'late', '0'];
  const container = { command, volumeMounts: [{ name: 'kept', mountPath: '/kept' }] };
  const spec = { volumes: [{ name: 'kept', emptyDir: {} }] };
  const pod = await startNewcomer(namespace.name, 'replaced', { container, spec });
  const kept = async (): Promise<string> => `/proc/${await pod.pid()}/root/kept/file`;
  writeFileSync(await kept(), 'since the start\n');
  const following = runKubectl(['logs', '--follow', '--namespace', namespace.name, pod.name, '--container', 'app']);
  const drift = async (): Promise<unknown> => {
    const { result } = await kubectlHotexecJson<Inspection>('inspect', pod.name, '-n', namespace.name);
    return result.drift;
  };
  expect(await drift()).toEqual([]);
  const { id } = await pod.container();

  await expectChange(pod, 'replace', '--with', buildOf(2), '--', 'late', '1');
  expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);
  expect(await drift()).toEqual([{ kind: 'arguments', running: ['/app/server', 'late', '1'], spec: command }]);
  expect(JSON.parse((await annotationsOf(pod))['hotexec.io/app'] ?? '')).toMatchObject({
    verb: 'replace',
    container: id,
  });
  expect(readFileSync(await kept(), 'utf8')).toBe('since the start\n');

  process.kill(await pod.pid(), 'SIGKILL');
  await pod.becomes('started again', ({ containers }) => containers['app']?.restartCount === 1);
  await until('the program of the image', async () => (await answersIn(pod, newcomer)).startsWith('version 1'));
  expect(await drift()).toEqual([]);
  expect(readFileSync(await kept(), 'utf8')).toBe('since the start\n');
  // Of another container: whoever reads it sees that it is over.
  expect((await annotationsOf(pod))['hotexec.io/app']).not.toContain((await pod.container()).id);
  // One stream, from the first program to the end of the second.
  const { stdout } = await following;
  expect(stdout).toMatch(
    /^version 1 begins: late\nversion 1 serves, instance \S+\nversion 2 begins: late\nversion 2 serves, instance \S+\n$/,
  );
});
