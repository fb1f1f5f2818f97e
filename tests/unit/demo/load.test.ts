import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startLoad } from '../../../src/demo/load.ts';
import { until } from '../../support/until.ts';

async function serve(instance: () => string): Promise<number> {
  const server = createServer((_, response) =>
    response.end(JSON.stringify({ instance: instance(), version: '1.0', pid: 1, served: 1 })),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const { signal } = new AbortController();

test('requests are made until it is stopped, and each tells who answered it', async () => {
  let instance = '2a365f99';
  const port = await serve(() => instance);
  using load = startLoad({ port, everyMs: 1, limit: 5_000, signal });
  await until('the first program has answered', () => load.answers.length > 5);
  instance = '78f6c0e4';
  await until('the second has', () => load.answers.at(-1)?.instance === instance);
  const { requests, instances, last } = await load.stop();
  expect(instances).toEqual(['2a365f99', '78f6c0e4']);
  expect(last?.instance).toBe('78f6c0e4');
  expect(requests.every(({ end, startMs, endMs }) => end === 'answered' && endMs >= startMs)).toBe(true);
  expect(new Set(requests.map(({ by }) => by))).toEqual(new Set([0, 1]));
  expect(requests).toHaveLength(load.answers.length);
});

test('there are never more requests than the limit', async () => {
  const port = await serve(() => '2a365f99');
  using load = startLoad({ port, everyMs: 0.1, limit: 3, signal });
  await until('all are answered', () => load.answers.length === 3);
  expect((await load.stop()).requests).toHaveLength(3);
});

test('those that are refused are told', async () => {
  using load = startLoad({ port: 1, everyMs: 1, limit: 2, signal });
  const { requests } = await load.stop();
  expect(requests.every(({ end, by }) => end === 'refused' && by === null)).toBe(true);
});
