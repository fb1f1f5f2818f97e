import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { forgetGoneContainers } from '../../../src/targets/docker/forget.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { tempDirectory } from '../../support/temp.ts';

const there = 'a'.repeat(64);
const removed = 'b'.repeat(64);
const elsewhere = 'c'.repeat(64);

interface Setting {
  readonly directory: string;
  readonly requests: readonly string[];
  readonly forget: (rarely?: boolean) => Promise<void>;
}

/** A daemon that knows one container, stopped or not, and another daemon's that runs. */
async function setting({ status = 200 } = {}): Promise<Setting> {
  const directory = tempDirectory();
  const socket = join(tempDirectory(), 'docker.sock');
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify([{ Id: there }]));
  });
  await new Promise<void>((done) => void server.listen(socket, done));
  onTestFinished(() => void server.close());
  const proc = writeProc(tempDirectory(), [{ pid: 9, comm: 'app', ppid: 1, cgroup: `0::/docker/${elsewhere}` }]);
  const env = { HOTEXEC_STATE_DIR: directory, DOCKER_HOST: `unix://${socket}` };
  return {
    directory,
    requests,
    forget: async (rarely = false) => forgetGoneContainers({ env, uid: 0, proc, rarely }),
  };
}

function record(directory: string, name: string, runtime = 'docker'): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify({ version: 1, container: { id: 'x', name: null, runtime }, entries: [] }));
  return path;
}

it('the record of a container that Docker has removed goes, and what was set aside of it', async () => {
  const { directory, requests, forget } = await setting();
  const paths = [record(directory, `${removed}.json`), record(directory, `${removed}.json.set-aside`)];
  const kept = [record(directory, `${there}.json`), record(directory, `${elsewhere}.json`)];
  await forget();
  expect(paths.filter((path) => existsSync(path))).toEqual([]);
  expect(kept.filter((path) => existsSync(path))).toEqual(kept);
  expect(requests).toEqual(['GET /containers/json?all=1']);
});

it('records of other runtimes are none of its business, and without one of its own Docker is not asked', async () => {
  const { directory, requests, forget } = await setting();
  const path = record(directory, `${removed}.json`, 'containerd');
  await forget();
  expect([existsSync(path), requests]).toEqual([true, []]);
});

it('nothing goes when Docker does not know', async () => {
  const { directory, forget } = await setting({ status: 500 });
  const path = record(directory, `${removed}.json`);
  await forget();
  expect(readdirSync(directory)).toEqual([`${removed}.json`]);
  expect(existsSync(path)).toBe(true);
});

it('rarely is once a day', async () => {
  const { directory, requests, forget } = await setting();
  record(directory, `${there}.json`);
  await forget(true);
  await forget(true);
  expect(requests).toHaveLength(1);
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  utimesSync(join(directory, '.docker-asked'), yesterday, yesterday);
  await forget(true);
  expect(requests).toHaveLength(2);
});
