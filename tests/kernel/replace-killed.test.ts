// The engine is killed while it replaces a program's file and another that comes with it: program and files are of one kind, old or new.
import { chmodSync, copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askRestart } from '../../src/front/restart.ts';
import { defaultRestartOptions, sameProgram, type RestartRequest } from '../../src/protocol/request.ts';
import { compile } from '../support/kernel/compile.ts';
import { expectFree, startTicks } from '../support/kernel/in-place.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { killAtEach, Workshop, type KillPoint } from '../support/kill/sweep.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { tempDirectory } from '../support/temp.ts';

const old = compile('threads');
const next = compile('births');

interface Killed {
  readonly label: string;
  /** Null: the point was beyond its last effect. */
  readonly at: string | null;
  readonly outcome: string;
  readonly runs: 'old' | 'new' | 'neither';
  readonly files: readonly string[];
}

describe('when the engine is killed while it replaces files', () => {
  needs('root', { command: 'gcc' });

  test.each<[what: string, first: number, options: Partial<RestartRequest['options']>]>([
    ['a program that is not asked to finish', 1, { drain: false, probationMs: 0 }],
    ['a program that is watched', 12, { drain: false, probationMs: 100 }],
  ])('of %s, program and files are both old or both new', { timeout: 600_000 }, async (_, first, options) => {
    const trials = await killAtEach({ first, stride: often(5, 23) }, async (point) => await killAt(point, options));
    expect(trials.length).toBeGreaterThan(often(8, 4));
    expect(trials.filter((trial) => !isRight(trial))).toEqual([]);
    expect(new Set(trials.map(({ outcome }) => outcome))).toEqual(new Set(['unchanged', 'restarted']));
  });
});

function isRight({ outcome, runs, files }: Killed): boolean {
  const expected = outcome === 'restarted' ? 'new' : 'old';
  return runs === expected && files.join() === `conf ${expected},program ${expected}`;
}

async function killAt(point: KillPoint, options: Partial<RestartRequest['options']>): Promise<Killed> {
  using workshop = new Workshop({ KILL_AT_FILES: '1' });
  const [place, source] = [tempDirectory(), tempDirectory()];
  copyFileSync(old, join(place, 'program'));
  chmodSync(join(place, 'program'), 0o755);
  writeFileSync(join(place, 'conf'), 'old');
  writeFileSync(join(source, 'conf'), 'new');
  const target = await start(join(place, 'program'), ['2']);
  const request: RestartRequest = {
    kind: 'restart',
    operationId: 'kill',
    target: {
      name: `pid/${target.pid}`,
      pid: target.pid,
      startTicks: startTicks(target.pid),
      container: null,
      spec: null,
    },
    program: {
      ...sameProgram,
      replacement: { source: next, inMemory: 'never' },
      files: [{ source: join(source, 'conf'), destination: join(place, 'conf'), owner: null, allowVolume: false }],
    },
    options: { ...defaultRestartOptions, ...options },
  };
  const { outcome } = await askRestart(request, {
    engine: workshop.startKilled(point),
    startEngine: workshop.startEngine,
  });
  const at = await workshop.killedAt();
  expectFree(target.pid);
  expect(workshop.journals()).toEqual([]);
  const runs = await whatRuns(target);
  const files = readdirSync(place)
    .filter((name) => !(outcome === 'restarted' && /^\.hotexec-[\w-]+\.old$/.test(name)))
    .toSorted()
    .map((name) => `${name} ${kindOf(join(place, name))}`);
  await target.end();
  return { label: `${point.when} ${point.number} ${at}`, at, outcome, runs, files };
}

/** Each answers in its own words. */
async function whatRuns(target: Target): Promise<Killed['runs']> {
  const { input } = await target.ask('who are you?');
  if (input.startsWith('alive born')) return 'new';
  return /^alive \d+ eintr/.test(input) ? 'old' : 'neither';
}

function kindOf(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.equals(readFileSync(old)) || bytes.toString() === 'old') return 'old';
  return bytes.equals(readFileSync(next)) || bytes.toString() === 'new' ? 'new' : 'broken';
}
