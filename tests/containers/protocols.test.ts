// What clients of other protocols see of a restart; docs/draining.md tells it.
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { serversDirectory } from '../support/docker/cache.ts';
import type { Container } from '../support/docker/container.ts';
import { gracefulFortio } from '../support/docker/graceful.ts';
import { fortioLoad } from '../support/docker/load-tools.ts';
import { start, type Program } from '../support/docker/program.ts';
import { node } from '../support/docker/programs/node.ts';
import { hostFile } from '../support/docker/rootfs.ts';
import { httpGet } from '../support/docker/talk.ts';
import { drainedRestart } from '../support/docker/under-load.ts';

describe('a client of a long exchange', () => {
  needs('root', 'docker');

  test('has its whole download: the old program finishes it', async () => {
    await using container = await start(streams());
    const response = await responseTo(container, 'GET', '/download').answer;
    const [body, { drain }] = await Promise.all([buffer(response), drainedRestart(container)]);
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(body).toHaveLength(40 * 64 * 1024);
  });

  test('loses the rest of its download when the grace period is over', async () => {
    await using container = await start(streams());
    const response = await responseTo(container, 'GET', '/download').answer;
    const cut = buffer(response);
    const [, { drain }] = await Promise.all([
      expect(cut).rejects.toThrow(/aborted|reset/i),
      drainedRestart(container, '--grace-period', '200ms'),
    ]);
    expect(drain.end).toBe('forced');
  });

  test('finishes its upload, and is answered by the old program', async () => {
    await using container = await start(streams());
    const old = await instanceOf(container);
    const upload = responseTo(container, 'POST', '/upload');
    upload.request.write(Buffer.alloc(100_000));
    const restarting = drainedRestart(container);
    for (let sent = 1; sent < 10; sent++) {
      await delay(100);
      upload.request.write(Buffer.alloc(100_000));
    }
    upload.request.end();
    expect(JSON.parse(await text(await upload.answer))).toEqual({ instance: old, sizeBytes: 1_000_000 });
    expect((await restarting).drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(await instanceOf(container)).not.toBe(old);
  });
});

describe('a WebSocket', () => {
  needs('root', 'docker');

  test('gets the close frame of a program that sends one, and connects anew at once', async () => {
    await using container = await start(streams('--farewell'));
    const socket = await openWebSocket(container);
    const old = await echo(socket);
    const closed = once(socket, 'close');
    const reconnect = async (): Promise<{ readonly code: number; readonly instance: string }> => {
      const [{ code }] = (await closed) as [CloseEvent];
      const next = await openWebSocket(container);
      const instance = await echo(next);
      next.close();
      return { code, instance };
    };
    const reconnected = reconnect();
    const { drain } = await drainedRestart(container);
    const { code, instance } = await reconnected;
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(code).toBe(1001);
    expect(instance).not.toBe(old);
  });

  test('of a program that says nothing keeps it from ending: the grace period is waited for, then it breaks', async () => {
    await using container = await start(streams());
    const socket = await openWebSocket(container);
    const old = await echo(socket);
    const closed = once(socket, 'close') as Promise<[CloseEvent]>;
    const { drain } = await drainedRestart(container, '--grace-period', '500ms');
    expect(drain.end).toBe('forced');
    // 1006: it broke, without a close frame.
    expect((await closed)[0].code).toBe(1006);
    const next = await openWebSocket(container);
    expect(await echo(next)).not.toBe(old);
    next.close();
  });
});

describe('a client of fortio, which drops what it has in hand', () => {
  needs('root', 'docker', ...gracefulFortio.needs);

  test.each([
    { protocol: 'HTTP/2', port: 8080, flags: ['-stdclient', '-h2'] },
    { protocol: 'gRPC', port: 8079, flags: ['-grpc'] },
    { protocol: "gRPC (fortio's ping)", port: 8079, flags: ['-grpc', '-ping'] },
  ])(
    'over $protocol loses at most the requests of that moment, and connects anew',
    async ({ protocol, port, flags }) => {
      await using container = await start(gracefulFortio);
      const url = protocol === 'HTTP/2' ? `http://${container.address}:${port}/` : `${container.address}:${port}`;
      const load = fortioLoad(url, { seconds: often(4, 2), flags });
      for (let done = 0; done < 2; done++) {
        const { listeners } = await drainedRestart(container);
        expect(listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
      }
      const { answered, failed } = await load;
      expect(answered).toBeGreaterThan(100);
      expect(failed).toBeLessThanOrEqual(2 * 8);
    },
  );
});

function streams(...args: readonly string[]): Program {
  return {
    ...node,
    name: `streams ${args.join(' ')}`,
    recipe: async () => {
      const { files } = await node.recipe();
      const script = await hostFile(join(serversDirectory, 'streams.mjs'), '/streams.mjs');
      const entrypoint = ['/usr/bin/node', '/streams.mjs', ...args];
      return { name: `streams${args.join('')}`, files: [...files, script], entrypoint };
    },
    ask: instanceOf,
  };
}

async function instanceOf({ address }: Pick<Container, 'address'>): Promise<string> {
  return (JSON.parse(await httpGet(address, 8080)) as { readonly instance: string }).instance;
}

function responseTo(
  { address }: Container,
  method: string,
  path: string,
): {
  readonly request: ClientRequest;
  readonly answer: Promise<IncomingMessage>;
} {
  const asking = request({ host: address, port: 8080, method, path, agent: false });
  const answer = once(asking, 'response').then(([response]) => response as IncomingMessage);
  if (method === 'GET') asking.end();
  return { request: asking, answer };
}

async function openWebSocket({ address }: Container): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${address}:8080/ws`);
  await until('the WebSocket is open', () => {
    if (socket.readyState > WebSocket.OPEN) throw new Error('it is closed');
    return socket.readyState === WebSocket.OPEN;
  });
  return socket;
}

async function echo(socket: WebSocket): Promise<string> {
  socket.send('hello');
  const [event] = (await once(socket, 'message')) as [MessageEvent];
  return String(event.data);
}
