// The program, its container or its pod ends while a restart is under way: what came of it is told, and the cluster goes on as if nobody had been there.
import { describe, expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { agentPid, eventsOf } from '../support/cluster/in-place.ts';
import { kubectl, runKubectl } from '../support/cluster/kubectl.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange, startNewcomer } from '../support/cluster/newcomer.ts';
import type { Pod } from '../support/cluster/pod.ts';
import { linesOf } from '../support/cluster/rolling.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

/** What is done as soon as the program has been told to finish, and says that it does; the last line is what comes of the restart. */
async function restartAnd(pod: Pod, disturb: () => Promise<void>): Promise<{ exitCode: number | null; end: unknown }> {
  let end: unknown;
  const exitCode = await linesOf(['restart', pod.target, '-n', pod.namespace], async (line) => {
    end = line;
    if (line['phase'] !== 'drain') return;
    await until('it finishes', async () => (await pod.logs()).includes('finishes'));
    await disturb();
  });
  return { exitCode, end };
}

const spec = { terminationGracePeriodSeconds: 30 };

describe('a program that takes its time to finish', () => {
  test('is killed meanwhile: it is lost, its exit code is told, and the kubelet starts it again', async () => {
    const pod = await startNewcomer(namespace.name, 'killed', { container: { args: ['slow', '20000'] }, spec });
    const pid = await pod.pid();
    const { exitCode, end } = await restartAnd(pod, async () => void process.kill(pid, 'SIGKILL'));
    expect(exitCode).toBe(4);
    expect(end).toMatchObject({
      outcome: 'lost',
      error: {
        code: 'target-lost',
        message: expect.stringMatching(
          /^pod\/killed: container app ended in the middle of operation \S+, with exit code 137 \(Error\)\. What runs there after it, if anything, is the program of the image\.$/,
        ) as string,
      },
    });
    await pod.becomes('started again', ({ containers }) => containers['app']?.restartCount === 1);
    expect(await eventsOf(pod)).toMatchObject([{ reason: 'HotexecLost', type: 'Warning' }]);
    // By a successor of the agent, which has ended with the container.
    await expectChange(pod, 'restart', '--no-drain');
  });

  test('has its agent killed meanwhile: nobody is there to start the new one, and that is told as it is', async () => {
    const pod = await startNewcomer(namespace.name, 'agentless', { container: { args: ['slow', '2500'] }, spec });
    const { exitCode, end } = await restartAnd(pod, async () => void process.kill(await agentPid(pod), 'SIGKILL'));
    expect(exitCode).toBe(4);
    expect(end).toMatchObject({
      outcome: 'lost',
      error: { message: expect.stringContaining('with exit code 0 (Completed)') as string },
    });
    await pod.becomes('started again', ({ containers }) => containers['app']?.restartCount === 1);
  });

  test('is deleted with its pod meanwhile: it is let go, and the pod is gone within its grace period', async () => {
    const container = { args: ['slow', '2500'], securityContext: { runAsUser: 1234, runAsGroup: 1234 } };
    const pod = await startNewcomer(namespace.name, 'deleted', { container, spec });
    const log = runKubectl(['logs', '--follow', '--namespace', namespace.name, pod.name, '--container', 'app']);
    let deletedMs = 0;
    const { exitCode, end } = await restartAnd(pod, async () => {
      deletedMs = performance.now();
      await kubectl('delete', pod.target, '-n', namespace.name, '--wait=false');
    });
    expect(exitCode).toBe(8);
    expect(end).toMatchObject({
      outcome: 'stopped',
      error: {
        code: 'stopped-by-other',
        message: expect.stringMatching(/in the middle of operation \S+; its program was let go\.$/) as string,
      },
    });
    await kubectl('wait', '--for=delete', pod.target, '-n', namespace.name, '--timeout=30s');
    expect(performance.now() - deletedMs).toBeLessThan(20_000);
    // It was let finish, and no new program was started in its place.
    expect((await log).stdout).toMatch(/^version 1 begins: slow\nversion 1 serves.*\nfinishes\n$/);
  });
});
