import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { forgetGone } from '../../../src/cli/forget-gone.ts';
import type { CliContext } from '../../../src/cli/context.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { tempDirectory } from '../../support/temp.ts';

const docker = { kind: 'docker', name: 'web' } as const;

interface Setting {
  readonly context: Pick<CliContext, 'env' | 'host' | 'proc' | 'signal'>;
  readonly requests: readonly string[];
  readonly record: string;
}

/** A daemon that knows no container any more, and the record of one. */
async function setting(): Promise<Setting> {
  const [state, requests] = [tempDirectory(), Array.of<string>()];
  const socket = join(tempDirectory(), 'docker.sock');
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('[]');
  });
  await new Promise<void>((done) => void server.listen(socket, done));
  onTestFinished(() => void server.close());
  const record = join(state, `${'b'.repeat(64)}.json`);
  writeFileSync(
    record,
    JSON.stringify({ version: 1, container: { id: 'x', name: null, runtime: 'docker' }, entries: [] }),
  );
  const host = { architecture: 'x86_64', execPath: process.execPath, uid: 0, kill: () => {} };
  const env = { HOTEXEC_STATE_DIR: state, DOCKER_HOST: `unix://${socket}` };
  const proc = writeProc(tempDirectory(), []);
  return { context: { env, host, proc, signal: new AbortController().signal }, requests, record };
}

it('the record of a container that is gone goes after a restart of another one, and Docker is asked once a day', async () => {
  const { context, requests, record } = await setting();
  await forgetGone(docker, context, { rarely: true });
  expect([existsSync(record), requests.length]).toEqual([false, 1]);
  writeFileSync(record, JSON.stringify({ container: { runtime: 'docker' } }));
  await forgetGone(docker, context, { rarely: true });
  expect(requests).toHaveLength(1);
  await forgetGone(docker, context);
  expect([existsSync(record), requests.length]).toEqual([false, 2]);
});

it("a process of this machine is none of Docker's business", async () => {
  const { context, requests, record } = await setting();
  await forgetGone({ kind: 'pid', pid: 77 }, context);
  expect([existsSync(record), requests]).toEqual([true, []]);
});
