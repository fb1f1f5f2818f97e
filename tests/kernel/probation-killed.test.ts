// The engine is killed while a new program is on probation or the previous one is started again: nothing is left traced or stopped, and one of
// the two programs runs, or the process has ended as the new program ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { askRestart } from '../../src/front/restart.ts';
import { compile } from '../support/kernel/compile.ts';
import { Survivor, type Shape } from '../support/kill/survivor.ts';
import { ended } from '../support/kill/command.ts';
import { engine, frontCommand, killAtEach, requestFor, Workshop, type KillPoint } from '../support/kill/sweep.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { until } from '../support/until.ts';

const two: Shape = { threads: 2, mebibytes: 0 };

/** What may be there where hotexec has said so. Let go by the death of its tracer, the new program has its end. */
const expected: Readonly<Record<string, readonly string[]>> = {
  unchanged: ['old program'],
  'rolled-back': ['previous program'],
  restarted: ['ended'],
  lost: ['ended'],
};

interface Killed {
  /** The system call at which it was killed; null: the point was beyond its last effect. */
  readonly at: string | null;
  readonly outcome: string;
  readonly found: 'old program' | 'previous program' | 'ended';
  readonly damage: readonly string[];
}

describe('when the engine is killed around the end of a new program', () => {
  needs('root', { command: 'gcc' });

  test('nobody is left traced or stopped, and what is said is so', { timeout: 600_000 }, async () => {
    const trials = await killAtEach({ first: 1, stride: often(19, 37) }, killAt);
    expect(trials.flatMap(({ damage }) => damage)).toEqual([]);
    expect(trials.length).toBeGreaterThan(often(10, 5));
    expect(trials.filter(({ outcome, found }) => !expected[outcome]?.includes(found))).toEqual([]);
    const lost = trials.filter(({ found }) => found === 'ended').length;
    console.log(`of ${trials.length} killed engines ${lost} left a process that ended as the new program does`);
  });
});

describe('when the front is killed in a probation', () => {
  needs('root', { command: 'gcc' });

  test('the engine starts the previous program again all the same', async () => {
    using workshop = new Workshop();
    using survivor = await Survivor.start(two);
    const { starts } = survivor.record();
    const request = requestFor(survivor, workshop.nextVersion(), [compile('ends'), 'after', '300', 'exit', '1']);
    const order = { ...request, options: { ...request.options, probationMs: 1_000 } };
    const [file = '', ...args] = frontCommand({ request: order, engines: [engine], diesAtEvent: 9 });
    const front = spawn(file, args, { env: workshop.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    front.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [, signal] = (await once(front, 'close')) as [number | null, string | null];
    expect([signal, said.trim().split('\n').at(-1)]).toEqual(['SIGKILL', 'event probation']);
    await ended(Number(/^engine (\d+)/.exec(said)?.[1]));
    expect(await damageOfPrevious(survivor, starts)).toEqual([]);
    expect(workshop.journals()).toEqual([]);
  });
});

async function killAt(point: KillPoint): Promise<Killed> {
  using workshop = new Workshop();
  using survivor = await Survivor.start(two);
  const before = survivor.looks();
  const request = requestFor(survivor, workshop.nextVersion(), [compile('ends'), 'after', '20', 'exit', '1']);
  const asked = { ...request, options: { ...request.options, probationMs: 1_000 } };
  const session = { engine: workshop.startKilled(point), startEngine: workshop.startEngine };
  const { outcome, error } = await askRestart(asked, session);
  const at = await workshop.killedAt();
  const left = workshop.journals().map((name) => `a journal is left: ${name}`);
  if (outcome === 'restarted' || outcome === 'lost') {
    // The new program may take its time; it must be able to.
    const isOver = await until('it has ended', () => hasEnded(survivor), 3_000).catch(() => false);
    return { at, outcome, found: isOver ? 'ended' : 'old program', damage: left };
  }
  const { starts } = before.record;
  const damage = outcome === 'unchanged' ? await survivor.damage(before, -1) : await damageOfPrevious(survivor, starts);
  const found = survivor.record().starts === starts ? 'old program' : 'previous program';
  return { at, outcome, found, damage: [...left, ...damage].map((fault) => `${at} ${error?.message}: ${fault}`) };
}

async function damageOfPrevious(survivor: Survivor, starts: number): Promise<readonly string[]> {
  const notFree = survivor.whyNotFree();
  if (notFree !== undefined) return [notFree];
  await until('it has started', () => survivor.record().starts > starts, 3_000);
  const { starts: now, stale, version } = await survivor.alive();
  return [
    ...(now === starts + 1 ? [] : [`it was started ${now - starts} times`]),
    ...(stale === 0 ? [] : [`it was not fresh: ${stale}`]),
    ...(version === 0 ? [] : [`it has version ${version}`]),
  ];
}

function hasEnded(survivor: Survivor): boolean {
  return !existsSync(`/proc/${survivor.pid}`) || survivor.whyNotFree() === 'it is dead';
}
