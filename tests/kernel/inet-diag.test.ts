// The kernel's two ways of telling a namespace's TCP sockets, sock_diag(7) and /proc/PID/net/tcp, told apart by nothing but their cost.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { diagnoseTcp, parseTcpDump } from '../../src/engine/inet-diag.ts';
import { findSockets, listListening, socketInode } from '../../src/engine/sockets.ts';
import { descriptorTarget, openDescriptors } from '../../src/engine/descriptors.ts';
import { parseProcNetTcp } from '../../src/procfs/inet-sockets.ts';
import { until } from '../support/until.ts';

async function listen(host: string, options: { readonly ipv6Only?: boolean } = {}): Promise<Server> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen({ host, port: 0, ...options }, resolve);
  await promise;
  onTestFinished(() => void server.close());
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Of this process, by inode, as /proc tells them. */
function ours(): ReadonlyMap<number, object> {
  const own = new Set(openDescriptors(process.pid).map((fd) => socketInode(descriptorTarget(process.pid, fd) ?? '')));
  const tables = ([4, 6] as const).map((family) =>
    parseProcNetTcp(readFileSync(`/proc/self/net/tcp${family === 4 ? '' : '6'}`, 'utf8'), family),
  );
  const all = tables.flatMap((table) => Array.from(table.values()));
  return new Map(all.filter(({ inode }) => own.has(inode)).map((socket) => [socket.inode, socket]));
}

test('listeners and connections of IPv4, IPv6 and both are told as /proc/PID/net/tcp tells them', async () => {
  const servers = [
    await listen('127.0.0.1'),
    await listen('::1'),
    await listen('::'),
    await listen('::', { ipv6Only: true }),
  ];
  for (const [host, server] of [
    ['127.0.0.1', servers[0]],
    ['::1', servers[1]],
    ['127.0.0.1', servers[2]],
  ] as const) {
    const client = connect({ host, port: server === undefined ? 0 : portOf(server) });
    onTestFinished(() => void client.destroy());
    await until('it is connected', () => client.readyState === 'open');
  }
  // Each connection has its two ends in here.
  await until('all are accepted', () => ours().size >= servers.length + 6);
  const expected = ours();
  const found = (diagnoseTcp(process.pid, 'all') ?? []).filter(({ inode }) => expected.has(inode));
  expect(found).toHaveLength(expected.size);
  for (const socket of found) expect(expected.get(socket.inode)).toMatchObject(socket);
  const listening = (diagnoseTcp(process.pid, 'listening') ?? []).filter(({ inode }) => expected.has(inode));
  expect(listening.map(({ state }) => state)).toEqual(servers.map(() => 'LISTEN'));
});

test('where the kernel does not tell them that way, the tables of /proc do', async () => {
  const server = await listen('127.0.0.1');
  const inode = [...ours().keys()][0] ?? 0;
  // A process whose namespace this one may not look into has ended meanwhile: nothing is found, and nothing throws.
  const child = spawn('true');
  const ended = Promise.withResolvers<void>();
  child.once('exit', () => ended.resolve());
  await ended.promise;
  expect(diagnoseTcp(child.pid ?? 0, 'all')).toBeNull();
  expect(findSockets(child.pid ?? 0, new Set([inode])).size).toBe(0);
  expect(listListening(process.pid).get(inode)).toMatchObject({
    local: `127.0.0.1:${portOf(server)}`,
    state: 'LISTEN',
  });
});

test('an answer that is cut short, or an error, is no list', () => {
  const error = Buffer.alloc(20);
  error.writeUInt32LE(20, 0);
  error.writeUInt16LE(2, 4);
  error.writeInt32LE(-2, 16);
  expect(parseTcpDump(error)).toEqual({ sockets: [], end: 'failed' });
  const done = Buffer.from(error);
  done.writeUInt16LE(3, 4);
  expect(parseTcpDump(done).end).toBe('failed');
  done.writeInt32LE(0, 16);
  expect(parseTcpDump(done).end).toBe('complete');
  expect(parseTcpDump(done.subarray(0, 18)).end).toBe('failed');
});

test('any bytes are parsed to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(['more', 'complete', 'failed']).toContain(parseTcpDump(Buffer.from(bytes)).end);
    }),
  );
});
