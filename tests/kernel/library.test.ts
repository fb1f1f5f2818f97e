// hotexec as a library, as it is built: promises, typed events, AbortSignal; the caller's event loop goes on, and nothing is printed.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { History, HotexecEvent, Inspection, RestartResult } from '../../src/index.ts';
import { compile } from '../support/kernel/compile.ts';
import { expectAsBefore, settled } from '../support/kernel/snapshot.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { callLibrary } from '../support/library.ts';
import { tempDirectory } from '../support/temp.ts';
import { needs } from '../support/needs.ts';

interface Seen {
  readonly result?: RestartResult;
  readonly error?: {
    readonly name: string;
    readonly code: string;
    readonly message: string;
    readonly result: RestartResult | null;
  };
  readonly inspection?: Inspection;
  readonly history?: History;
  readonly events?: readonly HotexecEvent[];
  readonly largestGapMs?: number;
  readonly usualDelayMs?: number;
  readonly ticks?: number;
}

const fixture = join(import.meta.dirname, '../fixtures/kernel/library.ts');

describe('the library', () => {
  needs('root', { command: 'gcc' });

  test('restarts, and tells of each phase in order', async () => {
    const target = await start(compile('threads'), ['3']);
    const { result, events = [] } = await call('restart', target);
    await target.line(/^started/);
    expect(result).toMatchObject({ kind: 'Restart', outcome: 'restarted', pid: target.pid, error: null });
    expect(phasesOf(events)).toEqual([
      'observe',
      'plan',
      'hold',
      'prove',
      'swap',
      'reset',
      'release',
      'probation',
      'verify',
    ]);
    expect(events.filter((event) => event.kind === 'planned')).toHaveLength(1);
    expect(events.some((event) => event.kind === 'remote-call')).toBe(false);
    const times = events.flatMap((event) => (event.kind === 'phase' ? [event.atMs] : []));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('takes a target as an object, changes variables, and tells each system call with `verbose`', async () => {
    const target = await start(compile('program'), [], { env: { HOME: '/root', B: '2' } });
    const { result, events = [] } = await call('object', target);
    const started = await target.line(/^started (.*)$/);
    const { environ } = JSON.parse(started[1] ?? '') as { readonly environ: readonly string[] };
    expect(environ.map((word) => Buffer.from(word, 'hex').toString())).toEqual(['B=2', 'A=1']);
    expect(result?.outcome).toBe('restarted');
    const calls = events.flatMap((event) => (event.kind === 'remote-call' ? [event.call] : []));
    expect(calls).toEqual(expect.arrayContaining(['mmap', 'execve']));
  });

  test('tells the programs that ran there', async () => {
    const target = await start(compile('threads'), ['3']);
    const { history } = await call('history', target);
    expect(history).toMatchObject({ kind: 'History', pid: target.pid, versions: [{ number: 1, state: 'running' }] });
  });

  test('rejects with a HotexecError that says why and what runs now', async () => {
    const target = await start(compile('threads'), ['3']);
    const before = await settled(target.pid);
    const { error } = await call('refused', target);
    expect(error).toMatchObject({ name: 'HotexecError', code: 'program-not-startable' });
    expect(error?.message).toContain('/nonexistent/program');
    await expectAsBefore(target.pid, before);
  });

  test('rejects before anything is touched where the new executable is not there', async () => {
    const target = await start(compile('threads'), ['3']);
    const before = await settled(target.pid);
    const { error } = await call('replace-usage', target);
    expect(error).toMatchObject({
      name: 'HotexecError',
      code: 'usage',
      message: 'with "/nonexistent/program" cannot be read: there is no such file here.',
    });
    await expectAsBefore(target.pid, before);
  });

  test('shows that the file of a program was replaced or deleted under it', async () => {
    const path = join(tempDirectory(), 'program');
    copyFileSync(compile('threads'), path);
    const target = await start(path, ['3']);
    expect((await call('inspect', target)).inspection?.drift).toEqual([]);
    rmSync(path);
    const executable = { kind: 'executable', path };
    expect((await call('inspect', target)).inspection?.drift).toEqual([{ ...executable, state: 'deleted' }]);
    copyFileSync(compile('program'), path);
    expect((await call('inspect', target)).inspection?.drift).toEqual([{ ...executable, state: 'replaced' }]);
  });

  test('rejects at once where it was cancelled before', async () => {
    const target = await start(compile('threads'), ['3']);
    const before = await settled(target.pid);
    expect((await call('aborted', target)).error).toMatchObject({ name: 'HotexecError', code: 'cancelled' });
    await expectAsBefore(target.pid, before);
  });

  test('rejects when it is cancelled before the point of no return, and the old program runs on', async () => {
    const target = await start(compile('vfork'), ['1']);
    target.say('go');
    await target.line(/^vfork$/); // the hold has to wait for a second
    const { error, events = [] } = await call('abort-in-hold', target);
    expect(error).toMatchObject({ name: 'HotexecError', code: 'cancelled', result: { outcome: 'unchanged' } });
    expect(phasesOf(events)).not.toContain('swap');
    expect((await target.ask('still there?')).input).toContain('eintr 0');
    expect(target.lines.filter((line) => line.startsWith('started'))).toHaveLength(1);
  });

  // A machine that is busy otherwise makes gaps too, now and then; an event loop that is blocked has them each time.
  test('never blocks the event loop of its caller', async () => {
    const target = await start(compile('threads'), ['100']);
    const attempts: Seen[] = [];
    while (attempts.length < 3 && !attempts.some(isSmooth)) attempts.push(await call('five-times', target));
    expect(attempts.filter(isSmooth)).toEqual([attempts.at(-1)]);
  });
});

function isSmooth({ largestGapMs, usualDelayMs, ticks }: Seen): boolean {
  return Math.max(largestGapMs ?? Infinity, usualDelayMs ?? Infinity) < 50 && (ticks ?? 0) > 50;
}

async function call(what: string, target: Target): Promise<Seen> {
  return JSON.parse(await callLibrary(fixture, what, String(target.pid))) as Seen;
}

function phasesOf(events: readonly HotexecEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
}
