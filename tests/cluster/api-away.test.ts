// The API server goes away in the middle of a restart, and comes back: the agent needs nobody to finish, and what came of it can be asked for.
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexec, kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { startRestart, type Left } from '../support/cluster/leaving.ts';
import { startApiServer, stopApiServer } from '../support/cluster/machine/cluster.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { startNewcomer } from '../support/cluster/newcomer.ts';
import type { Pod } from '../support/cluster/pod.ts';
import { linesOf } from '../support/cluster/rolling.ts';
import { executionOf } from '../support/docker/proc.ts';
import { newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

const where = (): readonly string[] => ['-n', namespace.name];

/** With an agent already, so that both drains are under way at once. */
async function startSlow(name: string): Promise<Pod> {
  const pod = await startNewcomer(namespace.name, name, { container: { args: ['slow', '3000'] } });
  expect(await kubectlHotexec('inspect', name, ...where())).toMatchObject({ exitCode: 0 });
  return pod;
}

test('who waits is told when it is back, and who has left can ask by the id of the operation', async () => {
  const [waited, left] = await Promise.all([startSlow('waited-for'), startSlow('left')]);
  const pids = await Promise.all([waited.pid(), left.pid()]);
  const executions = await Promise.all(pids.map(executionOf));

  const leaving = startRestart(left, '--grace-period', '30s');
  let told: unknown;
  const waiting = linesOf(
    ['restart', waited.target, ...where(), '--grace-period', '30s'],
    (line) => void (told = line),
  );
  let gone: Left;
  try {
    for (const pod of [waited, left]) await until('it finishes', async () => (await pod.logs()).includes('finishes'));
    await stopApiServer();
    gone = await leaving.leave();
    const unreachable = await kubectlHotexec('inspect', left.name, '--operation', gone.operationId, ...where());
    expect(unreachable).toMatchObject({ exitCode: 5, stdout: '' });
    expect(unreachable.stderr).toContain('does not answer: connect ECONNREFUSED');
    // Nobody watches, and both go on.
    const patience = { timeoutMs: 30_000, pauseMs: 20 };
    for (const [index, pid] of pids.entries())
      await until('the new program runs', async () => (await executionOf(pid)) !== executions[index], patience);
  } finally {
    await startApiServer();
  }
  expect(gone.exitCode).toBe(6);
  const asked = await kubectlHotexecJson('inspect', left.name, '--operation', gone.operationId, ...where());
  expect(asked).toMatchObject({ exitCode: 0, result: { operationId: gone.operationId, outcome: 'restarted' } });
  const unknown = await kubectlHotexecJson('inspect', left.name, '--operation', 'another', ...where());
  expect(unknown).toMatchObject({ exitCode: 6, result: { error: { code: 'outcome-unknown' } } });

  expect(await waiting).toBe(0);
  expect(told).toMatchObject({ kind: 'Restart', outcome: 'restarted', error: null });
  for (const pod of [waited, left]) expect((await pod.logs()).match(/serves/g)).toHaveLength(2);
  expect(await Promise.all(pids.map(executionOf))).not.toEqual(executions);
});
