// Programs that look before they bind, or bind in a way of their own, come up as after a fresh start; and what an old program does to its
// descriptors and paths in its shutdown is not its successor's.
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, ourAddress as at, said, startSockets, takeOver, tryTakeOver } from '../support/kernel/handed.ts';
import { needs } from '../support/needs.ts';
import { tempDirectory } from '../support/temp.ts';

const listening = (port: number): string => `tcp4 set 1 2 1 bind ${at} ${port} listen 8`;
const words = (calls: string, atEnd = ''): string => `begins ${calls} started -- ${atEnd}`;

describe('a new program', () => {
  needs('root', { command: 'gcc' });

  test('that looks whether somebody serves on its port finds nobody, and binds by itself', async () => {
    const target = await startSockets(words(`${listening(21_201)} serve`));
    const { listeners } = await takeOver(target, words(`tcp4 connect ${at} 21201 close ${listening(21_201)} serve`));
    expect(said(target, 1)).toContain('connect ECONNREFUSED');
    expect(listeners).toMatchObject([
      { handedOver: false, why: 'the new program looked whether somebody serves there' },
    ]);
    expect(await ask({ host: at, port: 21_201 })).toBe('hello 1');
  });

  test('that connects to the same port elsewhere has its own socket all the same', async () => {
    const serving = 'tcp4 set 1 2 1 bind 0.0.0.0 21207 listen 8';
    const target = await startSockets(words(serving));
    // Without waiting: nobody has that address (RFC 5737).
    const { listeners } = await takeOver(target, words(`tcp4 flags connect 192.0.2.1 21207 close ${serving} serve`));
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(await ask({ host: at, port: 21_207 })).toBe('hello 1');
  });

  test('that looks whether somebody serves on its path finds nobody', async () => {
    const path = join(tempDirectory(), 'socket');
    const serving = `unlink ${path} stream bind ${path} - listen 8 serve`;
    const target = await startSockets(words(serving));
    await takeOver(target, words(`stream connect ${path} - ${serving}`));
    expect(said(target, 1)).toContain('connect ECONNREFUSED');
    expect(await ask({ path })).toBe('hello 1');
  });

  test.each([
    ['tries the port first, and closes it', 21_202, (own: string) => `${own.replace(/listen 8$/, '')} close ${own}`],
    ['listens for a trial first, and closes it', 21_203, (own: string) => `${own} close ${own}`],
    ['has a child try its configuration first', 21_204, (own: string) => `tries ${own} tried ${own}`],
  ])('that %s has the socket at its second bind too', async (_, port, calls) => {
    const target = await startSockets(words(listening(port)));
    const { listeners } = await takeOver(target, words(`${calls(listening(port))} serve`));
    expect(said(target, 1).filter((line) => / E[A-Z]+$/.test(line))).toEqual([]);
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(await ask({ host: at, port })).toBe('hello 1');
  });

  test('that listens only if its socket does not yet is up at once', async () => {
    const serving = `tcp4 set 1 2 1 bind ${at} 21208 listen-if-needed 8`;
    const target = await startSockets(words(serving));
    const { listeners, probation } = await takeOver(target, words(`${serving} serve`));
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(probation).toMatchObject({ end: 'listening' });
    expect(await ask({ host: at, port: 21_208 })).toBe('hello 1');
  });

  test('makes its path anew where a child of the old one has removed it', async () => {
    const path = join(tempDirectory(), 'socket');
    const serving = `stream bind ${path} - listen 8 serve`;
    const target = await startSockets(words(serving, `remove-by-child ${path}`));
    const { listeners } = await takeOver(target, words(serving));
    expect(listeners).toMatchObject([{ handedOver: false }]);
    expect(await ask({ path })).toBe('hello 1');
  });

  test('that renames its socket has it under that name', async () => {
    const own = join(tempDirectory(), 'socket');
    const draft = `${own}.tmp`;
    const serving = `stream bind ${draft} - listen 8 rename ${draft} ${own} serve`;
    const target = await startSockets(words(serving, `unlink ${own}`));
    await takeOver(target, words(serving));
    expect(said(target, 1).filter((line) => / E[A-Z]+$/.test(line))).toEqual([]);
    expect(await ask({ path: own })).toBe('hello 1');
  });

  test('that does not start while its path is there does not cost the previous one its start', async () => {
    const path = join(tempDirectory(), 'socket');
    const target = await startSockets(
      words(`end-unless-free ${path} stream bind ${path} - listen 8 serve`, `unlink ${path}`),
    );
    const { outcome } = await tryTakeOver(target, null, { env: [] });
    expect(outcome).toBe('rolled-back');
    expect(existsSync(path)).toBe(true);
    expect(await ask({ path })).toBe('hello 0');
  });

  test('has the standard streams that the old one closed and redirected at its end', async () => {
    const target = await startSockets(words(listening(21_205), 'close-number 1 dup2 0 2'));
    const before = [0, 1, 2].map((fd) => readlinkSync(`/proc/${target.pid}/fd/${fd}`));
    await takeOver(target, words(listening(21_205)));
    expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${target.pid}/fd/${fd}`))).toEqual(before);
    expect(target.lines.filter((line) => /^(close|dup2)/.test(line))).toEqual(['close-number 0', 'dup2 2']);
  });

  test('comes after an old one that wakes its thread in accept by a shutdown: it ends at once', async () => {
    const target = await startSockets(words(`${listening(21_206)} accepts`, 'shutdown join'));
    const { drain, listeners } = await takeOver(target, words(`${listening(21_206)} serve`));
    expect(drain).toMatchObject({ end: 'exited', exitCode: 0 });
    expect(target.lines).toContain('accept EINVAL');
    expect(listeners).toMatchObject([{ handedOver: true }]);
    expect(await ask({ host: at, port: 21_206 })).toBe('hello 1');
  });
});
