// Kills an engine at its N-th effect, for every N, lets the front mend, and looks what the target is left as (tests/fixtures/kernel/kill-at.c).
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, type StartEngine } from '../../../src/front/launch.ts';
import { askRestart } from '../../../src/front/restart.ts';
import { HotexecError } from '../../../src/errors.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import { defaultRestartOptions, sameProgram, type RestartRequest } from '../../../src/protocol/request.ts';
import type { Outcome } from '../../../src/protocol/result.ts';
import { compile } from '../kernel/compile.ts';
import { until } from '../until.ts';
import { Survivor, type Shape } from './survivor.ts';

const root = join(import.meta.dirname, '../../..');
export const enginePath: string = process.env['HOTEXEC_KILL_ENGINE'] ?? join(root, 'src/engine-main.ts');

export type When = 'before' | 'after';

export interface KillPoint {
  readonly number: number;
  readonly when: When;
}

/** How the restart is made to fail: `dry-run` and `exec` need a program that the kernel refuses. */
export type Run = 'succeeds' | 'fails';

export interface Trial {
  /** Null: the point was beyond the engine's last effect. */
  readonly killedAt: string | null;
  readonly outcome: Outcome | HotexecError['code'];
  /** From the kill to the end of the mending. */
  readonly mendedMs: number;
  readonly damage: readonly string[];
}

/** A private place for journals. */
export class Workshop implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'hotexec-kill-'));
  readonly env: NodeJS.ProcessEnv = { ...process.env, HOTEXEC_RUNTIME_DIR: join(this.directory, 'run') };
  #version = 0;

  nextVersion(): number {
    return ++this.#version;
  }

  get report(): string {
    return join(this.directory, 'report');
  }

  startEngine: StartEngine = () => startEngine({ execPath: process.execPath, args: [enginePath], env: this.env });

  startKilled({ number, when }: KillPoint, report: string = this.report): ReturnType<StartEngine> {
    return startEngine({
      execPath: compile('kill-at'),
      args: [report, String(number), when, process.execPath, enginePath],
      env: this.env,
    });
  }

  journals(): readonly string[] {
    return readdirSync(join(this.directory, 'run'));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function requestFor(survivor: Survivor, version: number, command: readonly string[] | null): RestartRequest {
  return {
    kind: 'restart',
    operationId: 'kill',
    target: survivor.target,
    program: { ...sameProgram, command, env: { ...sameProgram.env, set: [['VERSION', String(version)]] } },
    options: { ...defaultRestartOptions, force: true },
  };
}

interface Asking {
  readonly survivor: Survivor;
  readonly workshop: Workshop;
  /** A command that the kernel refuses; null: the same program again. */
  readonly command: readonly string[] | null;
  readonly onEvent?: (event: HotexecEvent) => void;
}

/** One restart whose engine is killed at the point, and whose first menders are killed at theirs. */
export async function killAt(
  point: KillPoint,
  { survivor, workshop, command, onEvent }: Asking,
  menders: readonly KillPoint[] = [],
): Promise<Trial> {
  const before = survivor.looks();
  const version = workshop.nextVersion();
  let mender = 0;
  const mendReport = `${workshop.report}-mender`;
  for (const path of [workshop.report, mendReport]) rmSync(path, { force: true });
  const outcome = await askRestart(requestFor(survivor, version, command), {
    engine: workshop.startKilled(point),
    startEngine: () => {
      const next = menders[mender++];
      return next === undefined ? workshop.startEngine() : workshop.startKilled(next, mendReport);
    },
    onEvent,
  }).then(
    (result) => result.outcome,
    (error: unknown) => {
      if (error instanceof HotexecError) return error.code === 'exec-refused' ? 'unchanged' : error.code;
      throw error;
    },
  );
  const endNs = process.hrtime.bigint();
  const [what = '', number = '', call = ''] = await until('the engine has ended', () =>
    readFileSync(menders.length > 0 ? mendReport : workshop.report, 'utf8').trim().split(' '),
  );
  const killed = what === 'killed';
  const damage = await survivor.damage(before, version);
  const isNew = survivor.record().version === version;
  if ((outcome === 'restarted') !== isNew)
    damage.push(`the outcome was said to be ${outcome}, and the ${isNew ? 'new' : 'old'} program runs`);
  const journals = workshop.journals();
  if (journals.length > 0) damage.push(`a journal is left: ${journals.join()}`);
  return {
    killedAt: killed ? call : null,
    outcome,
    mendedMs: killed ? Number(endNs - BigInt(number)) / 1e6 : 0,
    damage,
  };
}

export interface Sweep {
  readonly shape: Shape;
  readonly command: readonly string[] | null;
  /** Every how many-th point. */
  readonly stride?: number;
  readonly first?: number;
  /** The engine that is killed first, when the point is a mender's. */
  readonly engineAt?: KillPoint;
}

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
  { shape, command, stride = 1, first = 1, engineAt }: Sweep,
): Promise<SweepReport> {
  using workshop = new Workshop();
  const report: SweepReport = { points: 0, restarted: 0, slowestMs: 0, epollEintr: 0, failures: [] };
  let survivor = await Survivor.start(shape);
  try {
    for (let number = first; ; number += stride) {
      const point = { number, when };
      const epollBefore = survivor.record().epollEintr;
      const trial = await (engineAt === undefined
        ? killAt(point, { survivor, workshop, command })
        : killAt(engineAt, { survivor, workshop, command }, [point]));
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
        rmSync(join(workshop.directory, 'run'), { recursive: true, force: true });
      }
      if (trial.killedAt === null) return report;
      report.points += 1;
      report.restarted += trial.outcome === 'restarted' ? 1 : 0;
      report.slowestMs = Math.max(report.slowestMs, trial.mendedMs);
    }
  } finally {
    survivor[Symbol.dispose]();
  }
}
