// Kills an engine at its N-th effect, for every N, lets the front mend, and looks what the target is left as (tests/fixtures/kernel/kill-at.c).
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FrontOrder } from '../../fixtures/kernel/front.ts';
import { engineFlags, startEngine, type EngineLaunch, type StartEngine } from '../../../src/front/launch.ts';
import { askRestart } from '../../../src/front/restart.ts';
import { HotexecError } from '../../../src/errors.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type RestartOptions,
  type RestartRequest,
} from '../../../src/protocol/request.ts';
import { compile } from '../kernel/compile.ts';
import { until } from '../until.ts';
import { Survivor, type Looks, type Shape } from './survivor.ts';

const root = join(import.meta.dirname, '../../..');
// What users run, as built by scripts/test.ts before; another build while this one is being worked at.
const dist = process.env['HOTEXEC_KILL_DIST'] ?? join(root, 'dist');
export const cli: readonly string[] = [process.execPath, '--', join(dist, 'cli.cjs')];
export const engine: readonly string[] = [process.execPath, ...engineFlags, join(dist, 'engine.cjs')];

export type When = 'before' | 'after';

export interface KillPoint {
  readonly number: number;
  readonly when: When;
}

export interface Trial {
  /** Null: the point was beyond the engine's last effect. */
  readonly killedAt: string | null;
  /** What hotexec said: an outcome, or the code of an error. */
  readonly outcome: string;
  /** From the kill to the end of the mending. */
  readonly mendedMs: number;
  readonly damage: readonly string[];
}

/** A private place for journals. */
export class Workshop implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'hotexec-kill-'));
  readonly runDirectory: string = join(this.directory, 'run');
  readonly env: NodeJS.ProcessEnv;
  #version = 0;
  readonly #engine: readonly string[];

  /** `more`: for what is started from here. `through`: a command that runs its engines. */
  constructor(more: NodeJS.ProcessEnv = {}, through: readonly string[] = []) {
    this.#engine = [...through, ...engine];
    this.env = { ...process.env, HOTEXEC_RUNTIME_DIR: this.runDirectory, ...more };
  }

  get engine(): readonly string[] {
    return this.#engine;
  }

  nextVersion(): number {
    return ++this.#version;
  }

  get report(): string {
    return join(this.directory, 'report');
  }

  startEngine: StartEngine = () => this.#launch(this.#engine);

  startKilled(point: KillPoint, report: string = this.report): ReturnType<StartEngine> {
    return this.#launch(this.killed(point, report));
  }

  /** The same; what it tells a gdb counts, too. */
  killedDriving(point: KillPoint): EngineLaunch {
    const launch = this.launchOf(this.killed(point));
    return { ...launch, env: { ...launch.env, KILL_AT_WRITES: '1' } };
  }

  killed({ number, when }: KillPoint, report: string = this.report): readonly string[] {
    return [compile('kill-at'), report, String(number), when, ...this.#engine];
  }

  /** An engine with a gdb that is killed at its N-th effect. */
  withKilledGdb({ number, when }: KillPoint): EngineLaunch {
    const directory = join(this.directory, 'bin');
    mkdirSync(directory, { recursive: true });
    const words = [compile('kill-at'), this.report, String(number), when, gdbPath(), '"$@"'];
    writeFileSync(join(directory, 'gdb'), `#!/bin/sh\nexec ${words.join(' ')}\n`, { mode: 0o755 });
    return { ...this.launchOf(engine), env: { ...this.env, PATH: `${directory}:${process.env['PATH'] ?? ''}` } };
  }

  launchOf([execPath = '', ...args]: readonly string[]): EngineLaunch {
    return { execPath, args, env: this.env };
  }

  #launch(words: readonly string[]): ReturnType<StartEngine> {
    return startEngine(this.launchOf(words));
  }

  /** The effect at which the engine was killed; null: it had ended before. */
  async killedAt(): Promise<string | null> {
    const [what, , call = ''] = await until('the engine has ended', () =>
      readFileSync(this.report, 'utf8').trim().split(' '),
    );
    return what === 'killed' ? call : null;
  }

  journals(): readonly string[] {
    return existsSync(this.runDirectory) ? readdirSync(this.runDirectory) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A trial at each point, `stride` apart, until one is beyond the engine's last effect; HOTEXEC_KILL_STRIDE wins. */
export async function killAtEach<One extends { readonly at: string | null }>(
  { first, stride }: { readonly first: number; readonly stride: number },
  trialAt: (point: KillPoint) => Promise<One>,
): Promise<readonly One[]> {
  const trials: One[] = [];
  const step = Number(process.env['HOTEXEC_KILL_STRIDE'] ?? stride);
  for (let number = first; ; number += step) {
    const trial = await trialAt({ number, when: number % 2 === 0 ? 'before' : 'after' });
    if (process.env['HOTEXEC_KILL_VERBOSE']) console.log(number, JSON.stringify(trial));
    trials.push(trial);
    if (trial.at === null) return trials;
  }
}

export function requestFor(survivor: Survivor, version: number, command: readonly string[] | null): RestartRequest {
  return {
    kind: 'restart',
    operationId: 'kill',
    target: survivor.target,
    program: { ...sameProgram, command, env: { ...sameProgram.env, set: [['VERSION', String(version)]] } },
    options: { ...defaultRestartOptions, force: true, probationMs: 0 },
  };
}

function fromMemory(request: RestartRequest, source: string | null): RestartRequest {
  const replacement = source === null ? null : ({ source, inMemory: 'always' } as const);
  return { ...request, program: { ...request.program, replacement } };
}

export interface Asking {
  readonly survivor: Survivor;
  readonly workshop: Workshop;
  /** A command that the kernel refuses; null: the same program again. */
  readonly command: readonly string[] | null;
  /** A program that is started from memory; null or absent: from its path. */
  readonly inMemory?: string | null;
  /** What the engine drives, and whether that is killed instead of the engine. Absent: it traces by itself. */
  readonly gdb?: { readonly killed: 'engine' | 'gdb'; readonly calls: RestartOptions['gdbCall'] };
}

/** A command that can be found, and that only the kernel refuses: its arguments are too long (E2BIG). */
export const refused: readonly string[] = ['/bin/true', 'x'.repeat(140_000)];

/** One restart whose engine is killed at the point, and whose first menders are killed at theirs. */
async function killAt(point: KillPoint, asking: Asking, menders: readonly KillPoint[] = []): Promise<Trial> {
  const { survivor, workshop, command, inMemory = null, gdb } = asking;
  const before = survivor.looks();
  const version = workshop.nextVersion();
  const mendReport = `${workshop.report}-mender`;
  for (const path of [workshop.report, mendReport]) rmSync(path, { force: true });
  const request = drivenBy(gdb, fromMemory(requestFor(survivor, version, command), inMemory));
  const engines = [
    workshop.killed(point),
    ...menders.map((mender) => workshop.killed(mender, mendReport)),
    workshop.engine,
  ];
  const ask = survivor.shape.init === true ? askInside : askHere;
  const outcome =
    gdb === undefined
      ? await ask({ request, engines, diesAtEvent: null }, asking)
      : await askFirst(request, [
          gdb.killed === 'engine' ? workshop.killedDriving(point) : workshop.withKilledGdb(point),
          workshop.launchOf(engine),
        ]);
  const endNs = process.hrtime.bigint();
  const [what = '', number = '', call = ''] = await until('the engine has ended', () =>
    readFileSync(menders.length > 0 ? mendReport : workshop.report, 'utf8')
      .trim()
      .split(' '),
  );
  const killed = what === 'killed';
  return {
    killedAt: killed ? call : null,
    outcome,
    mendedMs: killed ? Number(endNs - BigInt(number)) / 1e6 : 0,
    damage: await damageAfter(outcome, { survivor, workshop, before, version }),
  };
}

function drivenBy(gdb: Asking['gdb'], request: RestartRequest): RestartRequest {
  if (gdb === undefined) return request;
  const byGdb = { drain: false, handover: false, driver: 'gdb', gdbCall: gdb.calls } as const;
  return { ...request, options: { ...request.options, ...byGdb } };
}

function gdbPath(): string {
  return execFileSync('sh', ['-c', 'command -v gdb'], { encoding: 'utf8' }).trim();
}

/** Everything that is not as it must be when hotexec has said how it ended. */
export async function damageAfter(
  outcome: string,
  {
    survivor,
    workshop,
    before,
    version,
  }: Pick<Asking, 'survivor' | 'workshop'> & { readonly before: Looks; readonly version: number },
): Promise<readonly string[]> {
  const damage = await survivor.damage(before, version);
  const isNew = survivor.record().version === version;
  if ((outcome === 'restarted') !== isNew)
    damage.push(`the outcome was said to be ${outcome}, and the ${isNew ? 'new' : 'old'} program runs`);
  const journals = workshop.journals();
  if (journals.length > 0) damage.push(`a journal is left: ${journals.join()}`);
  return damage;
}

async function askHere({ request, engines }: FrontOrder, { workshop }: Asking): Promise<Trial['outcome']> {
  return await askFirst(
    request,
    engines.map((words) => workshop.launchOf(words)),
  );
}

/** The others mend. */
async function askFirst(request: RestartRequest, [first, ...others]: readonly EngineLaunch[]): Promise<string> {
  if (first === undefined) throw new Error('no engine');
  let used = 0;
  return await askRestart(request, {
    engine: startEngine(first),
    startEngine: () => startEngine(others[Math.min(used++, others.length - 1)] ?? first),
  }).then(
    (result) => result.outcome,
    (error: unknown) => {
      if (error instanceof HotexecError) return error.code;
      throw error;
    },
  );
}

/** Front and engines run in the target's pid namespace. */
async function askInside(order: FrontOrder, { survivor, workshop }: Asking): Promise<string> {
  const [file = '', ...args] = [...survivor.launcher, ...frontCommand(order)];
  const { stdout } = await promisify(execFile)(file, args, { env: workshop.env });
  const outcome = /^outcome (.*)$/m.exec(stdout)?.[1];
  if (outcome === undefined) throw new Error(`the front did not say how it ended: ${stdout}`);
  return outcome;
}

export function frontCommand(order: FrontOrder): readonly string[] {
  return [process.execPath, join(root, 'tests/fixtures/kernel/front.ts'), JSON.stringify(order)];
}

export interface Sweep {
  readonly shape: Shape;
  readonly command: readonly string[] | null;
  readonly inMemory?: string;
  readonly gdb?: Asking['gdb'];
  /** Every how many-th point. */
  readonly stride?: number;
  readonly first?: number;
  /** Not beyond this one. */
  readonly last?: number;
  /** The engine that is killed first, when the point is a mender's. */
  readonly engineAt?: KillPoint;
}

/** Root with CAP_SYS_PTRACE alone. */
const confining: readonly string[] = ['setpriv', '--bounding-set=-all,+sys_ptrace'];

export interface SweepReport {
  points: number;
  restarted: number;
  slowestMs: number;
  epollEintr: number;
  readonly failures: string[];
}

/** All points of one kind of run. A damaged target is replaced by another. */
export async function sweep(
  when: When,
  { shape, command, inMemory, gdb, stride = 1, first = 1, last = Number.POSITIVE_INFINITY, engineAt }: Sweep,
): Promise<SweepReport> {
  using workshop = new Workshop({}, shape.confined === true ? confining : []);
  const report: SweepReport = { points: 0, restarted: 0, slowestMs: 0, epollEintr: 0, failures: [] };
  let survivor = await Survivor.start(shape);
  try {
    for (let number = first; number <= last; number += stride) {
      const point = { number, when };
      const asking = {
        survivor,
        workshop,
        command,
        inMemory: inMemory ?? null,
        ...(gdb === undefined ? {} : { gdb }),
      };
      const epollBefore = survivor.record().epollEintr;
      const trial = await (engineAt === undefined ? killAt(point, asking) : killAt(engineAt, asking, [point]));
      const epoll = survivor.record().epollEintr - epollBefore;
      report.epollEintr += epoll;
      const label = `${when} ${number} ${trial.killedAt ?? 'end'}`;
      if (process.env['HOTEXEC_KILL_VERBOSE'])
        console.log(
          label,
          trial.outcome,
          Math.round(trial.mendedMs),
          epoll === 0 ? '' : `epoll-eintr ${epoll}`,
          trial.damage.join('; '),
        );
      if (trial.damage.length > 0) {
        report.failures.push(`${label}: ${trial.outcome}: ${trial.damage.join('; ')}`);
        survivor[Symbol.dispose]();
        survivor = await Survivor.start(shape);
        rmSync(workshop.runDirectory, { recursive: true, force: true });
      }
      if (trial.killedAt === null) break;
      report.points += 1;
      report.restarted += trial.outcome === 'restarted' ? 1 : 0;
      report.slowestMs = Math.max(report.slowestMs, trial.mendedMs);
    }
    return report;
  } finally {
    survivor[Symbol.dispose]();
  }
}
