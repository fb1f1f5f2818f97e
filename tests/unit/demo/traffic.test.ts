import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ask, parseAnswer, send } from '../../../src/demo/traffic.ts';

const answer = { instance: '2a365f99', pid: 1, uptimeMs: 12.5, served: 3 };

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const signal = new AbortController().signal;

test('an answer says what the program knows about itself', async () => {
  const port = await serve((_, response) => response.end(JSON.stringify(answer)));
  expect(await ask(port)).toEqual(answer);
});

test('a refused request is no answer', async () => {
  expect(await ask(1)).toBeNull();
});

test('a connection that is reset is no answer', async () => {
  const port = await serve((request) => request.socket.resetAndDestroy());
  expect(await ask(port)).toBeNull();
});

test.each(['', '{"instance":"2a365f99"', '{}', 'null', JSON.stringify({ ...answer, instance: '\x1b[31m' })])(
  '%j makes no sense',
  (text) => {
    expect(parseAnswer(text)).toBeNull();
  },
);

test('requests are counted, and end when they are enough', async () => {
  let served = 0;
  const port = await serve((request, response) => {
    served += 1;
    if (served === 2) request.socket.resetAndDestroy();
    else response.end(JSON.stringify({ ...answer, instance: served < 4 ? '2a365f99' : '78f6c0e4', served }));
  });
  const tally = await send({ port, everyMs: 0, limit: 100, signal }, ({ instance }) => instance === '78f6c0e4');
  expect(tally).toMatchObject({ sent: 4, answered: 3, instances: ['2a365f99', '78f6c0e4'], last: { served: 4 } });
});

test('there are never more requests than the limit', async () => {
  const port = await serve((_, response) => response.end());
  expect(await send({ port, everyMs: 0, limit: 3, signal })).toEqual({
    sent: 3,
    answered: 0,
    instances: [],
    last: null,
  });
});
