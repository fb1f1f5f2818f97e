// Whichever process of hotexec is killed, and whenever: the old or the new program runs, and nobody holds it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEngine } from '../../src/front/launch.ts';
import { askRestart } from '../../src/front/restart.ts';
import { ended, restartCommand } from '../support/kill/command.ts';
import { Survivor, type Shape } from '../support/kill/survivor.ts';
import {
  damageAfter,
  engine,
  frontCommand,
  refused,
  requestFor,
  sweep,
  Workshop,
  type KillPoint,
  type Sweep,
  type When,
} from '../support/kill/sweep.ts';
import { compile } from '../support/kernel/compile.ts';
import { stateOf } from '../support/kernel/in-place.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const one: Shape = { threads: 1, mebibytes: 0 };
const twenty: Shape = { threads: 20, mebibytes: 0 };
const large: Shape = { threads: 2, mebibytes: 80 };
const noClone: Shape = { threads: 2, mebibytes: 0, mode: 'no-clone' };
const whens: readonly When[] = ['before', 'after'];
// A second, on a machine that has nothing else to do.
const deadlineMs = 3_000;
let slowestMs = 0;

afterAll(() => console.log(`the slowest end of a killed restart took ${Math.round(slowestMs)} ms`));

function atMost(ms: number): void {
  slowestMs = Math.max(slowestMs, ms);
  expect(ms).toBeLessThanOrEqual(deadlineMs);
}

async function started(shape: Shape): Promise<{ readonly survivor: Survivor; readonly workshop: Workshop }> {
  const survivor = await Survivor.start(shape);
  onTestFinished(() => survivor[Symbol.dispose]());
  const workshop = new Workshop();
  onTestFinished(() => workshop[Symbol.dispose]());
  return { survivor, workshop };
}

/** Both halves of a sweep at once, on other points each; at least so many of them. */
async function expectNoDamage(points: number, what: Omit<Sweep, 'first'>): Promise<void> {
  // Every fifth of the points that a thorough run takes.
  const stride = (what.stride ?? 1) * often(1, 5);
  const reports = await Promise.all(
    whens.map((when, half) => sweep(when, { ...what, stride, first: 1 + half * Math.floor(stride / 2) })),
  );
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  for (const report of reports) {
    expect(report.points).toBeGreaterThanOrEqual(Math.floor(points * often(1, 0.2)));
    expect(what.command === null ? 0 : report.restarted).toBe(0);
    atMost(report.slowestMs);
  }
}

describe('when the engine is killed', () => {
  needs('root', { command: 'gcc' });

  test.each<[what: string, points: number, sweep: Omit<Sweep, 'first'>]>([
    ['of a restart', 10, { shape: one, command: null, stride: 9 }],
    ['of a restart of 20 threads', 9, { shape: twenty, command: null, stride: 11 }],
    ['of a restart that keeps the old memory in a holder', 10, { shape: large, command: null, stride: 14 }],
    ['of a restart of 20 threads that fails in the dry run', 5, { shape: twenty, command: refused, stride: 11 }],
    ['of a restart from memory', 12, { shape: one, command: null, inMemory: compile('survivor'), stride: 10 }],
    [
      'of a restart from memory that fails in the dry run',
      6,
      { shape: one, command: refused, inMemory: compile('survivor'), stride: 13 },
    ],
    [
      "of a restart of another user's program without CAP_KILL",
      8,
      { shape: { ...one, confined: true }, command: null, stride: 15 },
    ],
    ['of the same of an init', 6, { shape: { ...one, confined: true, init: true }, command: null, stride: 21 }],
    ['of a restart that fails in the exec itself', 4, { shape: noClone, command: refused, stride: 8 }],
  ])('at any step %s, the old or the new program runs on within a second', async (_, points, what) => {
    await expectNoDamage(points, what);
  });

  test.each<[what: string, engineAt: KillPoint, shape: Shape]>([
    ['before the exec', { number: 40, when: 'after' }, one],
    ['after the exec', { number: 62, when: 'before' }, one],
    ['with a holder', { number: 100, when: 'after' }, large],
  ])('and the one that mends as well, %s, another one mends', async (_, engineAt, shape) => {
    await expectNoDamage(2, { shape, command: null, engineAt, stride: 13 });
  });

  test('inside a container, where the target is pid 1, the old or the new program runs on', async () => {
    await expectNoDamage(2, { shape: { ...one, init: true }, command: null, stride: 32 });
  });

  test('and the main thread of the program had left, the old or the new program runs on', async () => {
    await expectNoDamage(2, { shape: { ...twenty, threads: 3, mode: 'leader-leaves' }, command: null, stride: 32 });
  });

  test('and the program was stopped by its user, the old one stays stopped and the new one runs', async () => {
    const { survivor, workshop } = await started(one);
    for (const number of [8, 25, 45, 80, 105]) {
      const before = survivor.looks();
      process.kill(survivor.pid, 'SIGSTOP');
      await until('it is stopped', () => stateOf(survivor.pid) === 'T');
      const version = workshop.nextVersion();
      const { outcome } = await askRestart(requestFor(survivor, version, null), {
        engine: workshop.startKilled({ number, when: 'after' }),
        startEngine: workshop.startEngine,
      });
      if (outcome !== 'restarted') {
        if (stateOf(survivor.pid) !== 'T') throw new Error('it no longer stands stopped');
        process.kill(survivor.pid, 'SIGCONT');
      }
      expect([number, await damageAfter(outcome, { survivor, workshop, before, version })]).toEqual([number, []]);
    }
  });
});

describe('when the front is killed', () => {
  needs('root', { command: 'gcc' });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('at its event %i, the engine finishes the restart', async (diesAtEvent) => {
    const { survivor, workshop } = await started(one);
    const before = survivor.looks();
    const version = workshop.nextVersion();
    const request = requestFor(survivor, version, null);
    const [file = '', ...args] = frontCommand({ request, engines: [engine], diesAtEvent });
    const front = spawn(file, args, { env: workshop.env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    createInterface(front.stdout).on('line', (line) => lines.push(line));
    const [, signal] = (await once(front, 'close')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    const diedMs = performance.now();
    await ended(Number(/^engine (\d+)/.exec(lines[0] ?? '')?.[1]));
    atMost(performance.now() - diedMs);
    expect(await damageAfter('restarted', { survivor, workshop, before, version })).toEqual([]);
  });
});

describe('when hotexec and its engine are killed at once', () => {
  needs('root', { command: 'gcc' });

  test.each<[what: string, command: readonly string[] | null]>([
    ['restart', null],
    ['restart that cannot succeed', refused],
  ])('the next %s mends first', async (_, command) => {
    const { survivor, workshop } = await started(one);
    for (const number of [10, 33, 47, 60, 84, 108]) {
      const before = survivor.looks();
      // An engine whose end nobody sees.
      const abandoned = requestFor(survivor, workshop.nextVersion(), null);
      await workshop.startKilled({ number, when: 'before' }).ask(abandoned, { answerWithinMs: deadlineMs });
      const beganMs = performance.now();
      const session = { engine: workshop.startEngine(), startEngine: workshop.startEngine };
      const request = requestFor(survivor, workshop.nextVersion(), command);
      const { outcome } = await askRestart(request, session);
      atMost(performance.now() - beganMs);
      expect(outcome).toBe(command === null ? 'restarted' : 'unchanged');
      const runs = (await survivor.alive()).version;
      const isNew = runs !== before.record.version;
      const left = await damageAfter(isNew ? 'restarted' : 'unchanged', {
        survivor,
        workshop,
        before,
        version: isNew ? runs : -1,
      });
      expect([number, left]).toEqual([number, []]);
    }
  });
});

describe('a signal that asks to stop', () => {
  needs('root', { command: 'gcc' });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s to hotexec never leaves a half-done restart', async (signal) => {
    const { survivor, workshop } = await started(large);
    for (let delayMs = 0; delayMs <= 120; delayMs += 15) {
      const before = survivor.looks();
      const version = workshop.nextVersion();
      const { child, outcome } = await restartCommand(survivor, workshop, { version, command: null });
      await delay(delayMs);
      child.kill(signal);
      const ending = await outcome;
      expect(['restarted', 'unchanged', 'cancelled', 'killed']).toContain(ending);
      // So early that nothing listened yet, it ends without a word: then nothing was asked of the engine.
      const left = await damageAfter(ending, { survivor, workshop, before, version });
      expect([delayMs, left]).toEqual([delayMs, []]);
    }
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s to the engine does not disturb it', async (signal) => {
    const { survivor, workshop } = await started(one);
    for (const at of ['observe', 'planned', 'hold'] as const) {
      const before = survivor.looks();
      const version = workshop.nextVersion();
      const [execPath = '', ...args] = engine;
      const worker = startEngine({ execPath, args, env: workshop.env });
      const { outcome } = await askRestart(requestFor(survivor, version, null), {
        engine: worker,
        startEngine: workshop.startEngine,
        onEvent: (event) => {
          if ((event.kind === 'phase' ? event.phase : event.kind) === at) process.kill(worker.pid ?? 0, signal);
        },
      });
      expect(outcome).toBe('restarted');
      expect(await damageAfter(outcome, { survivor, workshop, before, version })).toEqual([]);
    }
  });
});
