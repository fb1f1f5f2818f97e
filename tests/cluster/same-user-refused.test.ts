// The kernel refuses to let the agent hold the program although it is the same user: as under Yama (kernel.yama.ptrace_scope 1), which the kernel of
// this machine lacks. Here it is the program itself that asks for it, by PR_SET_DUMPABLE, as programs with secrets do: beyond what Yama forbids, the
// agent may not even read of it in /proc.
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec } from '../support/cluster/hotexec.ts';
import { agentsOf } from '../support/cluster/in-place.ts';
import { restrictedSecurity } from '../support/cluster/manifest.ts';
import { makeNamespace, namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange, startNewcomer } from '../support/cluster/newcomer.ts';
import { answersIn } from '../support/cluster/pod.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

const container = {
  args: ['undumpable'],
  securityContext: { ...restrictedSecurity, runAsUser: 1234, runAsGroup: 1234 },
};

test('an agent with SYS_PTRACE takes the place of the one that is refused, and is found again', async () => {
  const pod = await startNewcomer(namespace.name, 'undumpable', { container });
  await expectChange(pod, 'restart');
  await expectChange(pod, 'restart');
  expect((await agentsOf(pod)).map(({ securityContext: { runAsUser } }) => runAsUser)).toEqual([1234, 0]);
});

test('in a restricted namespace, which admits no SYS_PTRACE, it is refused with the reason, and runs on', async () => {
  await using restricted = await makeNamespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const pod = await startNewcomer(restricted.name, 'undumpable', { container });
  const run = await answersIn(pod, newcomer);
  const { exitCode, stdout, stderr } = await kubectlHotexec('restart', pod.name, '-n', pod.namespace);
  expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
  expect(stderr).toMatch(
    /may not look into it\. pod\/undumpable: the Pod Security admission of namespace \S+ \(restricted:latest\) refuses the agent: .*SYS_PTRACE.* Nothing was touched\. An agent of its own user \(1234\) is not enough for this program on its node\.\nhint: /s,
  );
  expect(await answersIn(pod, newcomer)).toBe(run);
});
