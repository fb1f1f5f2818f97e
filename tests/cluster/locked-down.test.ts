// A container with as little as can be: one static program and not a directory more, a read-only root, a user that is not root, no capability.
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { clusterImageOf } from '../support/cluster/image.ts';
import { agentsOf } from '../support/cluster/in-place.ts';
import { podManifest, restrictedSecurity } from '../support/cluster/manifest.ts';
import { makeNamespace } from '../support/cluster/namespace.ts';
import { expectChange } from '../support/cluster/newcomer.ts';
import { answersIn, startPod } from '../support/cluster/pod.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { hostFile } from '../support/docker/rootfs.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
agentForTests();

test('a locked-down container of a restricted namespace is restarted, replaced with an uploaded program, and rolled back', async () => {
  await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const image = await clusterImageOf({
    name: 'program-alone',
    files: [await hostFile(buildOf(1), '/server')],
    entrypoint: ['/server'],
  });
  const securityContext = {
    ...restrictedSecurity,
    runAsUser: 65_532,
    runAsGroup: 65_532,
    readOnlyRootFilesystem: true,
  };
  const pod = await startPod(restricted.name, podManifest('locked', { image, securityContext }));

  await expectChange(pod, 'restart');
  const { result } = await expectChange(pod, 'replace', '--with', buildOf(2));
  expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);
  // Nothing can be written there.
  expect(result.files).toMatchObject([{ path: expect.stringMatching(/^memfd:/) as string, change: 'in-memory' }]);
  await expectChange(pod, 'rollback');
  expect(await answersIn(pod, newcomer)).toMatch(/^version 1/);
  expect(await agentsOf(pod)).toMatchObject([
    { securityContext: { runAsUser: 65_532, runAsNonRoot: true, capabilities: { drop: ['ALL'] } } },
  ]);
});
