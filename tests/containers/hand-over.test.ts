// Every kind of socket that a program of a container listens on: the next run has the very same one, as the kernel tells.
import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import type { Container } from '../support/docker/container.ts';
import { startCountedLoad } from '../support/docker/counted-load.ts';
import { beginRestart } from '../support/docker/draining.ts';
import { hotexec } from '../support/docker/hotexec.ts';
import {
  configure,
  startSockets,
  tells,
  tellsNow,
  type SocketSetting,
  type SocketTells,
} from '../support/docker/sockets.ts';
import { drainedRestart } from '../support/docker/under-load.ts';
import type { RestartResult } from '../../src/protocol/result.ts';

const reuseAddress = ['SOL_SOCKET', 'SO_REUSEADDR', 1] as const;
const reusePort = ['SOL_SOCKET', 'SO_REUSEPORT', 1] as const;

const tcp: SocketSetting = { family: 'AF_INET', address: '0.0.0.0', port: 7001, options: [reuseAddress] };

const kinds: readonly SocketSetting[] = [
  tcp,
  { family: 'AF_INET', address: '127.0.0.1', port: 7002 },
  { family: 'AF_INET6', address: '::', port: 7003, options: [['IPPROTO_IPV6', 'IPV6_V6ONLY', 1]] },
  { family: 'AF_INET6', address: '::', port: 7004, options: [['IPPROTO_IPV6', 'IPV6_V6ONLY', 0]] },
  { family: 'AF_INET', type: 'SOCK_DGRAM', address: '0.0.0.0', port: 7001 },
  { family: 'AF_UNIX', address: '/run/stream' },
  { family: 'AF_UNIX', address: '@abstract' },
  { family: 'AF_UNIX', type: 'SOCK_SEQPACKET', address: '/run/packets' },
  {
    family: 'AF_INET',
    address: '0.0.0.0',
    port: 7005,
    options: [reuseAddress, ['IPPROTO_TCP', 'TCP_NODELAY', 1], ['IPPROTO_TCP', 'TCP_DEFER_ACCEPT', 3]],
    nonBlocking: true,
    inheritable: true,
    backlog: 33,
  },
];

describe('the sockets of a program', () => {
  needs('root', 'docker', { command: 'python3' });

  test('of every kind are the same ones in its next run, with the options that it sets before it binds', async () => {
    await using container = await startSockets({ sockets: kinds });
    const before = await all(container, kinds);
    const { listeners, drain } = await drainedRestart(container);
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(listeners.filter(({ handedOver }) => !handedOver)).toEqual([]);
    expect(listeners).toHaveLength(kinds.length);
    const after = await all(container, kinds);
    expect(new Set(after.map(({ instance }) => instance)).size).toBe(1);
    expect(after[0]?.instance).not.toBe(before[0]?.instance);
    const inOld = { instance: before[0]?.instance };
    expect(after.map((socket) => Object.assign({}, socket, inOld))).toEqual(before);
  });

  test('that are several on one port, by SO_REUSEPORT, are all handed over', async () => {
    const shared: SocketSetting = { ...tcp, options: [reusePort] };
    const sockets = [shared, shared, shared];
    await using container = await startSockets({ sockets });
    await using load = startLoad(container);
    const { listeners } = await drainedRestart(container);
    expect(listeners.map(({ handedOver }) => handedOver)).toEqual([true, true, true]);
    expectServed(load.tally);
  });

  test('are bound by a child of an init', async () => {
    // A shutdown(2) by another process than the main one is not held back (docs/limits.md).
    await using container = await startSockets({ sockets: [tcp], onlyCloses: true }, ['--init']);
    const before = await tells(container, tcp);
    await using load = startLoad(container);
    expect((await drainedRestart(container)).listeners).toMatchObject([{ handedOver: true }]);
    expect((await tells(container, tcp)).inode).toBe(before.inode);
    expectServed(load.tally);
  });

  test('get other options, should the next run set others', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    const next: SocketSetting = {
      ...tcp,
      options: [['IPPROTO_TCP', 'TCP_NODELAY', 1]],
      nonBlocking: true,
      inheritable: true,
      backlog: 17,
    };
    await configure(container, { sockets: [next] });
    const before = await tells(container, tcp);
    await drainedRestart(container);
    const after = await tells(container, next);
    expect(after).toMatchObject({
      inode: before.inode,
      noDelay: 1,
      nonBlocking: true,
      closesOnExec: false,
      backlog: 17,
      reuseAddress: 0,
    });
  });

  test('are waited for until they are bound late, and who has connected meanwhile is served', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    await configure(container, { sockets: [tcp], lateMs: 3_000 });
    await using load = startLoad(container);
    const { listeners, timingsMs } = await drainedRestart(container);
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(timingsMs['toFirstListen']).toBeGreaterThan(3_000);
    await load[Symbol.asyncDispose]();
    expectServed(load.tally);
    expect(load.tally.slowestMs).toBeGreaterThan(2_500);
  });
});

describe('a socket that is not handed over', () => {
  needs('root', 'docker', { command: 'python3' });

  test('is closed and named when the next run listens on another port', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    const moved: SocketSetting = { ...tcp, port: 7009 };
    await configure(container, { sockets: [moved] });
    const { listeners } = await drainedRestart(container, '--probation', '1s');
    expect(listeners).toMatchObject([{ address: '0.0.0.0:7001', handedOver: false, why: 'it was not claimed' }]);
    await tells(container, moved);
    await expect(tellsNow(container, tcp)).rejects.toThrow(/refused/);
  });

  test('is closed when the next run binds its port with another type, or in its way', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    const udp: SocketSetting = { ...tcp, type: 'SOCK_DGRAM', options: [] };
    const dual: SocketSetting = { family: 'AF_INET6', address: '::', port: 7001, options: [reuseAddress] };
    await configure(container, { sockets: [udp, dual] });
    const { listeners } = await drainedRestart(container, '--probation', '1s');
    expect(listeners).toMatchObject([{ handedOver: false }]);
    expect(listeners[0]?.why).toContain('bound another socket');
    await tells(container, udp);
    await tells(container, dual);
    await tells(container, tcp);
  });

  test('is closed with its program by --no-handover', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    const before = await tells(container, tcp);
    const { listeners } = await drainedRestart(container, '--no-handover');
    expect(listeners).toMatchObject([{ handedOver: false, why: 'asked for' }]);
    expect((await tells(container, tcp)).inode).not.toBe(before.inode);
  });
});

describe('a new version that fails', () => {
  needs('root', 'docker', { command: 'python3' });

  test('is rolled back, and the previous one has the same socket: nobody was refused', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    const before = await tells(container, tcp);
    await using load = startLoad(container);
    const bad = ['/usr/bin/python3', '-I', '-c', 'import time; time.sleep(0.5); raise SystemExit(1)'];
    const run = await hotexec('restart', container.target, '-o', 'json', '--', ...bad);
    const { outcome, failed, listeners } = JSON.parse(run.stdout) as RestartResult;
    expect({ exitCode: run.exitCode, outcome }).toEqual({ exitCode: 3, outcome: 'rolled-back' });
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(listeners).toMatchObject([{ handedOver: true }]);
    const after = await tells(container, tcp);
    expect(after.inode).toBe(before.inode);
    expect(after.instance).not.toBe(before.instance);
    await load[Symbol.asyncDispose]();
    expectServed(load.tally);
  });

  test('even after Ctrl-C in its drain the socket stays', async () => {
    await using container = await startSockets({ sockets: [tcp] });
    await using load = startLoad(container);
    const draining = beginRestart(container);
    await draining.phase('drain');
    process.kill(draining.pid, 'SIGINT');
    expect((await draining.end).result.listeners).toMatchObject([{ handedOver: true }]);
    await tells(container, tcp);
    await load[Symbol.asyncDispose]();
    expectServed(load.tally);
  });
});

async function all(container: Container, settings: readonly SocketSetting[]): Promise<readonly SocketTells[]> {
  return await Promise.all(settings.map(async (setting) => await tells(container, setting)));
}

function startLoad({ address }: Container): ReturnType<typeof startCountedLoad> {
  const exchange = {
    where: () => ({ host: address, port: 7001 }),
    question: () => 'hello',
    isWhole: (bytes: Buffer) => bytes.at(-1) === '}'.charCodeAt(0),
  };
  return startCountedLoad(exchange, { requests: 50_000, connections: 4, keepAlive: false });
}

/** The program answers what it has accepted; one connection a thread may be in its hand when it exits. */
function expectServed({ answered, refused, silent, wrong }: ReturnType<typeof startCountedLoad>['tally']): void {
  expect({ refused, silent, wrong }).toEqual({ refused: 0, silent: 0, wrong: 0 });
  expect(answered).toBeGreaterThan(0);
}
