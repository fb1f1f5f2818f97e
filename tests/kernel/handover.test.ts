// The new program's bind is answered with the socket of its predecessor: whatever the socket, and whoever of it binds.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ask,
  askByDatagram,
  Client,
  mappings,
  ourAddress,
  said,
  startSockets,
  takeOver,
} from '../support/kernel/handed.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';

const at = ourAddress;
const handedOver = [{ handedOver: true, why: null }];
const second = 'hello 1';

/** A port on which there have been connections can be bound again at once (SO_REUSEADDR). */
const reusable = (words: string): string => words.replaceAll(/\btcp[46]\b/g, '$& set 1 2 1');

/** It serves from the second program on: what has connected to the first one waits until then. */
const serveLater = (socket: string): readonly [old: string, later: string] => [
  `begins ${reusable(socket)} listen 8 started`,
  `begins ${reusable(socket)} listen 8 serve started`,
];

const bound = (port: number): string => `begins ${reusable(`tcp4 bind ${at} ${port}`)}`;

describe('who waits in the queue is answered by the new program:', () => {
  needs('root', { command: 'gcc' });

  test.each([
    ['IPv4', `tcp4 bind ${at} 21001`, { host: at, port: 21001 }],
    ['IPv4, any address', 'tcp4 bind 0.0.0.0 21002', { host: at, port: 21002 }],
    ['IPv6', 'tcp6 bind ::1 21003', { host: '::1', port: 21003 }],
    ['IPv6 and IPv4', 'tcp6 bind :: 21004', { host: at, port: 21004 }],
    ['IPv6 alone', 'tcp6 set 41 26 1 bind :: 21005', { host: '::1', port: 21005 }],
    ['a number below 3', `tcp4 at 0 bind ${at} 21006`, { host: at, port: 21006 }],
    ['a large number', `tcp4 at 900 bind ${at} 21007`, { host: at, port: 21007 }],
  ])('%s', async (_, socket, where) => {
    const [old, later] = serveLater(socket);
    const target = await startSockets(old);
    const waiting = await Client.connect(where);
    const { listeners } = await takeOver(target, later);

    expect(listeners).toMatchObject(handedOver);
    expect(await waiting.answer()).toBe(second);
    expect(await ask(where)).toBe(second);
    expect(said(target, 1)).toEqual(said(target, 0));
  });

  test.each([
    ['a path', 'stream bind PATH -', 'unlink PATH'],
    ['a path that is made free by unlinkat', 'stream bind PATH -', 'unlinkat DIR socket'],
    ['a path below the working directory', 'chdir DIR stream bind ./socket -', 'chdir DIR unlink socket'],
    ['seqpacket', 'seqpacket bind PATH -', 'unlink PATH'],
  ])('%s', async (_, socket, free) => {
    const directory = tempDirectory();
    const path = join(directory, 'socket');
    const named = (words: string): string => words.replaceAll('PATH', path).replaceAll('DIR', directory);
    const [old, later] = serveLater(named(socket));
    // The old one takes its path away in its shutdown, the new one before it binds.
    const target = await startSockets(`${old} -- ${named(free)}`);
    const waiting = socket.startsWith('stream') ? await Client.connect({ path }) : null;
    const { listeners } = await takeOver(target, later.replace('begins', `begins ${named(free)}`));
    expect(listeners).toMatchObject(handedOver);
    expect(existsSync(path)).toBe(true);
    if (waiting === null) return;
    expect(await waiting.answer()).toBe(second);
    expect(await ask({ path })).toBe(second);
  });

  test('an abstract name', async () => {
    const name = `hotexec-${process.pid}`;
    const [old, later] = serveLater(`stream bind @${name} -`);
    const target = await startSockets(old);
    const waiting = await Client.connect({ path: `\0${name}` });
    expect((await takeOver(target, later)).listeners).toMatchObject(handedOver);
    expect(await waiting.answer()).toBe(second);
  });

  test.each([
    ['UDP', at, `udp4 bind ${at} 21010`],
    ['UDP of IPv6', '::1', 'udp6 bind ::1 21010'],
  ])('%s', async (_, address, socket) => {
    const target = await startSockets(`${socket} started`);
    const waiting = askByDatagram(address, 21010);
    expect((await takeOver(target, `${socket} serve started`)).listeners).toMatchObject(handedOver);
    expect(await waiting).toBe(second);
  });
});

describe('who waits in the queue is not let in before a fresh start would let them in:', () => {
  needs('root', { command: 'gcc' });

  test('a thread that listens, wakes the one that serves, and prepares what it serves has done so', async () => {
    const target = await startSockets(`${bound(21_011)} listen 8 started`);
    for (let time = 0; time < 5; time++) {
      const waiting = await Client.connect({ host: at, port: 21_011 });
      await takeOver(target, `${bound(21_011)} serve-when-woken listen 8 wake prepare 200 started`);
      expect(await waiting.answer()).toBe(second);
    }
  });

  test.each([
    ['waits for the one that serves', 21_012, 'wake sleep 300 prepare 0'],
    ['spins until somebody was served', 21_013, 'wake spin-until-served prepare 0'],
  ])('but one that %s is not waited for', async (_, port, calls) => {
    const target = await startSockets(`${bound(port)} listen 8 started`);
    const waiting = await Client.connect({ host: at, port });
    await takeOver(target, `${bound(port)} serve-when-woken listen 8 ${calls} started`);
    expect(await waiting.answer()).toBe('too early');
  });
});

describe('the bind of', () => {
  needs('root', { command: 'gcc' });

  test.each([
    ['a thread', 'thread', 21_020],
    ['a child', 'fork', 21_021],
    ['a grandchild', 'fork fork', 21_022],
    ['a child that executes a program', 'spawn', 21_023],
    ['a program that is late', 'sleep 700', 21_024],
    ['a program that executes another', 'exec', 21_025],
  ])('%s is answered', async (_, who, port) => {
    const [old, later] = serveLater(`tcp4 bind ${at} ${port}`);
    const target = await startSockets(`${old} -- shutdown close`);
    const waiting = await Client.connect({ host: at, port });
    const { listeners } = await takeOver(target, later.replace('begins', `begins ${who}`));
    expect(listeners).toMatchObject(handedOver);
    expect(await waiting.answer()).toBe(second);
    // What the old one did to it in its shutdown has not ended it, and was answered as ever.
    expect(target.lines.filter((line) => /^(shutdown|close)/.test(line))).toEqual(['shutdown 0', 'close 0']);
  });
});

describe('the new program finds', () => {
  needs('root', { command: 'gcc' });

  test('200 sockets on 200 ports', async () => {
    const ports = Array.from({ length: 200 }, (_, index) => 22_000 + index);
    const socket = (more: string): string =>
      `begins ${ports.map((port) => reusable(`tcp4 bind ${at} ${port} listen 4 ${more}`)).join(' ')} started`;
    const target = await startSockets(socket(''));
    const waiting = await Promise.all(ports.map(async (port) => await Client.connect({ host: at, port })));
    const { listeners } = await takeOver(target, socket('serve'));
    expect(listeners.filter((listener) => listener.handedOver)).toHaveLength(200);
    expect(new Set(await Promise.all(waiting.map(async (client) => await client.answer())))).toEqual(new Set([second]));
  });

  test('a socket that stays open in it (--keep-fd): nobody waits for a bind, and it may be bound all the same', async () => {
    const [old, later] = serveLater(`tcp4 at 900 bind ${at} 21031`);
    const target = await startSockets(old);
    const keeping = { options: { keepFds: [900] } };
    const unbound = await takeOver(target, 'begins started', keeping);
    expect(unbound.listeners).toMatchObject(handedOver);
    expect(unbound.probation).toMatchObject({ end: 'time' });
    expect(unbound.probation.ms).toBeLessThan(2_000);
    const waiting = await Client.connect({ host: at, port: 21_031 });
    expect((await takeOver(target, later, keeping)).listeners).toMatchObject(handedOver);
    expect(await waiting.answer()).toBe(second);
  });

  test('what a fresh start finds: the same descriptors and mappings', async () => {
    const [words] = serveLater(`tcp4 bind ${at} 21030`);
    const target = await startSockets(words);
    // Beyond 100 are those that a test run has passed on.
    const descriptors = (): readonly string[] => readdirSync(`/proc/${target.pid}/fd`).filter((fd) => Number(fd) < 100);
    const fresh = { mappings: mappings(target.pid), descriptors: descriptors() };
    for (let time = 0; time < 3; time++) {
      await takeOver(target, null);
      expect({ mappings: mappings(target.pid), descriptors: descriptors() }).toEqual(fresh);
    }
  });
});
