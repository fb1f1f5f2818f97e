// The connection to the API server is cut in the middle: what was begun is done once, what was sent need not be sent again, and what came of it is told.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentForTests } from '../support/cluster/agent.ts';
import { kubectlHotexecJson } from '../support/cluster/hotexec.ts';
import { startRestart } from '../support/cluster/leaving.ts';
import { namespaceForTests } from '../support/cluster/namespace.ts';
import { expectChange, startNewcomer } from '../support/cluster/newcomer.ts';
import { answersIn } from '../support/cluster/pod.ts';
import { linesOf } from '../support/cluster/rolling.ts';
import { Way } from '../support/cluster/way.ts';
import { buildOf, newcomer } from '../support/docker/programs/newcomer.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

needs('cluster', ...newcomer.needs);
const namespace = namespaceForTests();
agentForTests();

const mebibyte = 2 ** 20;
const sizeBytes = 48 * mebibyte;
/** What may be on its way when the connection is cut: in the buffers of this machine's sockets, the API server, the kubelet and the runtime. */
const onTheWayBytes = 16 * mebibyte;

test('in the middle of an upload: it goes on from there, and the program comes whole', async () => {
  const pod = await startNewcomer(namespace.name, 'upload');
  // Behind the end of an ELF file there may be anything.
  const program = readFileSync(buildOf(2));
  const file = join(tempDirectory(), 'server');
  writeFileSync(file, Buffer.concat([program, randomBytes(sizeBytes - program.length)]));
  chmodSync(file, 0o755);
  await using way = await Way.open();
  way.cutAt(sizeBytes / 2);

  const { result, stderr } = await expectChange(pod, 'replace', '--with', file, '--kubeconfig', way.kubeconfig);
  expect(stderr).toBe('');
  expect(await answersIn(pod, newcomer)).toMatch(/^version 2/);
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  expect(result.files).toMatchObject([{ path: '/app/server', digest, sizeBytes }]);
  expect(way.sentBytes).toBeLessThan(sizeBytes + onTheWayBytes);
});

test('in the middle of a restart: the command connects again, and tells what came of it', async () => {
  const pod = await startNewcomer(namespace.name, 'restart', { container: { args: ['slow', '700'] } });
  const run = await answersIn(pod, newcomer);
  await using way = await Way.open();
  let end: unknown;
  const words = ['restart', pod.target, '-n', namespace.name, '--kubeconfig', way.kubeconfig];
  const phases: unknown[] = [];
  const exitCode = await linesOf(words, (line) => {
    end = line;
    if (line['kind'] === 'phase') phases.push(line['phase']);
    if (line['phase'] === 'drain') way.cut();
  });
  expect({ exitCode, end }).toMatchObject({ exitCode: 0, end: { kind: 'Restart', outcome: 'restarted', error: null } });
  // None is missing, none comes twice.
  expect(phases.filter((phase) => phase === 'drain' || phase === 'probation')).toEqual(['drain', 'probation']);
  expect(await answersIn(pod, newcomer)).not.toBe(run);
  expect((await pod.logs()).match(/serves/g)).toHaveLength(2);
});

test('for good, and whoever asked leaves: the agent finishes alone, and tells it by the id of the operation', async () => {
  const pod = await startNewcomer(namespace.name, 'alone', { container: { args: ['slow', '1000'] } });
  const run = await answersIn(pod, newcomer);
  await using way = await Way.open();
  const command = startRestart(pod, '--kubeconfig', way.kubeconfig);
  await until('it finishes', async () => (await pod.logs()).includes('finishes'), { pauseMs: 50 });
  way.close();
  const { exitCode, operationId } = await command.leave();
  expect(exitCode).toBe(6);

  const ask = async (): Promise<unknown> => {
    const asked = await kubectlHotexecJson('inspect', pod.name, '--operation', operationId, '-n', namespace.name);
    return asked.exitCode === 0 && asked.result;
  };
  expect(await until('it is known', ask)).toMatchObject({ operationId, outcome: 'restarted', error: null });
  expect(await answersIn(pod, newcomer)).not.toBe(run);
});
