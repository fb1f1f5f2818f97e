import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ask, parseAnswer } from '../../../src/demo/ask.ts';

const answer = { instance: '2a365f99', version: '1.0', pid: 1, served: 3 };

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('an answer says what the program knows about itself', async () => {
  const port = await serve((_, response) => response.end(JSON.stringify(answer)));
  expect(await ask({ port, workMs: 0 })).toEqual({ end: 'answered', answer });
});

test('the server is told how long to work', async () => {
  const asked: (string | undefined)[] = [];
  const port = await serve(({ url }, response) => {
    asked.push(url);
    response.end(JSON.stringify(answer));
  });
  await ask({ port, workMs: 25 });
  expect(asked).toEqual(['/25']);
});

test('a port that nobody listens on refuses', async () => {
  expect(await ask({ port: 1, workMs: 0 })).toEqual({ end: 'refused', answer: null });
});

test('a connection that ends without an answer was reset', async () => {
  const port = await serve((request) => request.socket.resetAndDestroy());
  expect(await ask({ port, workMs: 0 })).toEqual({ end: 'reset', answer: null });
});

test('half an answer is none', async () => {
  const port = await serve((request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"instance"');
    response.once('drain', () => {});
    setImmediate(() => request.socket.destroy());
  });
  expect(await ask({ port, workMs: 0 })).toEqual({ end: 'reset', answer: null });
});

test.each(['', '{"instance":"2a365f99"', '{}', 'null', JSON.stringify({ ...answer, instance: '\x1b[31m' })])(
  '%j makes no sense',
  (text) => {
    expect(parseAnswer(text)).toBeNull();
  },
);
