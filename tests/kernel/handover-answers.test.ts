// Only a bind that is given a held socket is answered by hotexec. Whatever else the new program calls, the kernel answers as ever: each
// sentence is said by a program that is started, and by one that takes over a socket, and both are told the same.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, Client, ourAddress as at, said, startSockets, takeOver, tryTakeOver } from '../support/kernel/handed.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';

const reusable = 'tcp4 set 1 2 1';
const SYS_dup3 = 292;
const words = (calls: string): string => `begins ${calls} started`;

describe('the new program is told what a fresh start is told by', () => {
  needs('root', { command: 'gcc' });

  test.each([
    ['a bind to a short address', 21_101, `${reusable} bind-short ${at} 21101 8 bind-short ${at} 21101 15`],
    ['a bind to an address of another family', 21_102, `tcp6 bind-short ${at} 21102 16`],
    ['a bind to no address', 21_103, `${reusable} bind-nowhere`],
    ['a bind of no descriptor', 21_104, `bind-number 77 ${at} 21104`],
    ['a bind of what is no socket', 21_105, `bind-number 0 ${at} 21105`],
    ['a bind to a port that the kernel chooses', 21_106, `tcp4 bind ${at} 0`],
    ['a second bind', 21_107, `${reusable} bind ${at} 21107 bind ${at} 21107`],
    ['a bind of a socket that is bound elsewhere', 21_108, `tcp4 bind ${at} 0 bind ${at} 21108`],
    ['a bind to a foreign address', 21_109, 'tcp4 bind 192.0.2.1 21109'],
    ['its name', 21_110, `${reusable} bind ${at} 21110 name`],
    ['a bind of UDP on its port', 21_111, `udp4 bind ${at} 21111`],
    ['its flags', 21_112, `${reusable} flags look bind ${at} 21112 look`],
    ['its options', 21_113, `${reusable} set 6 1 1 get 6 1 bind ${at} 21113 get 6 1 get 1 2 get 1 15`],
    ['an unlink of nothing', 21_115, 'unlink /nowhere/at/all'],
  ])('%s', async (_, port, calls) => {
    const last = `${reusable} bind ${at} ${port} listen 8`;
    const fresh = await startSockets(words(calls));
    await fresh.end();
    const target = await startSockets(words(last));
    await takeOver(target, words(calls), { probationMs: 300 });
    expect(said(target, 1)).toEqual(said(fresh, 0));
  });

  test('a bind to a path that is taken, and to one that is free again', async () => {
    const path = join(tempDirectory(), 'socket');
    const calls = words(`unlink ${path} stream bind ${path} - listen 8 stream bind ${path} -`);
    const target = await startSockets(calls);
    expect(said(target, 0)).toEqual(['unlink ENOENT', 'bind 0', 'listen 0', 'bind EADDRINUSE']);
    const { listeners } = await takeOver(target, calls);
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(said(target, 1)).toEqual(['unlink 0', 'bind 0', 'listen 0', 'bind EADDRINUSE']);
  });
});

describe('a socket cannot be handed over', () => {
  needs('root', { command: 'gcc' });

  test('to a program whose own filter forbids it: its bind is its own, and that is said', async () => {
    const serving = words(`${reusable} bind ${at} 21120 listen 8 serve`);
    const target = await startSockets(serving);
    const { listeners, warnings } = await takeOver(target, serving.replace('begins', `begins forbid ${SYS_dup3}`));
    expect(listeners).toMatchObject([{ handedOver: false, why: 'its seccomp filter forbids dup3' }]);
    expect(warnings.join()).toContain('its seccomp filter forbids dup3');
    expect(await ask({ host: at, port: 21_120 })).toBe('hello 1');
  });

  test('while another of its threads waits in a vfork: the bind waits for it, or is its own', async () => {
    const serving = words(`${reusable} bind ${at} 21121 listen 8 serve`);
    const target = await startSockets(serving);
    const { listeners } = await takeOver(target, serving.replace('begins', 'begins vfork-sleep 1500'));
    expect(listeners).toHaveLength(1);
    expect(said(target, 1)).toEqual(said(target, 0));
    expect(await ask({ host: at, port: 21_121 })).toBe('hello 1');
  });
});

describe('of several sockets on one port (SO_REUSEPORT)', () => {
  needs('root', { command: 'gcc' });
  const one = 'tcp4 set 1 15 1 bind HOST PORT listen 8 serve';
  const group = (count: number, port: number): string =>
    `begins ${Array.from({ length: count }, () => one.replace('HOST', at).replace('PORT', String(port))).join(' ')} started`;

  test('each is handed over, and those that wait in any of them are answered', async () => {
    const later = group(3, 21_130);
    const target = await startSockets(later.replaceAll(' serve', ''));
    const waiting = await Promise.all(
      Array.from({ length: 12 }, async () => await Client.connect({ host: at, port: 21_130 })),
    );
    const { listeners } = await takeOver(target, later);
    expect(listeners.map(({ handedOver }) => handedOver)).toEqual([true, true, true]);
    expect(new Set(await Promise.all(waiting.map(async (client) => await client.answer())))).toEqual(
      new Set(['hello 1']),
    );
  });

  test('those that a smaller program does not bind are closed and named', async () => {
    const target = await startSockets(group(3, 21_131));
    const { listeners } = await takeOver(target, group(1, 21_131), { probationMs: 500 });
    expect(listeners.map(({ handedOver }) => handedOver)).toEqual([true, false, false]);
    for (let time = 0; time < 12; time++) expect(await ask({ host: at, port: 21_131 })).toBe('hello 1');
  });
});

describe('a new program that fails with the socket in its hand', () => {
  needs('root', { command: 'gcc' });

  test('gives it back: the previous one binds it again, and who waits is answered', async () => {
    const serving = `${reusable} bind ${at} 21140 listen 8`;
    const target = await startSockets(`begins ${serving} serve started`);
    const failing = `begins ${serving} sleep 300 exit 7`;
    const going = tryTakeOver(target, failing, { probationMs: 2_000, env: [] });
    await target.line(/^listen 0/);
    await target.line(/^listen 0/);
    const waiting = await Client.connect({ host: at, port: 21_140 });
    expect(await going).toMatchObject({
      outcome: 'rolled-back',
      failed: { exitCode: 7 },
      listeners: [{ handedOver: true }],
    });
    expect(await waiting.answer()).toBe('hello 0');
  });
});
