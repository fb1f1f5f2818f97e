// A new program put to the test in the place of another one, and what each end of that must come to.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect } from 'vitest';
import { startEngine as launchEngine, type StartEngine } from '../../../src/front/launch.ts';
import { askRestart } from '../../../src/front/restart.ts';
import type { Session } from '../../../src/front/session.ts';
import type { HotexecEvent, Phase } from '../../../src/protocol/event.ts';
import {
  defaultRestartOptions,
  sameProgram,
  type RestartOptions,
  type RestartRequest,
} from '../../../src/protocol/request.ts';
import type { ProgramEnd, RestartResult } from '../../../src/protocol/result.ts';
import { parseStatus } from '../../../src/procfs/status.ts';
import { childrenOf } from '../kill/survivor.ts';
import { engine as builtEngine } from '../kill/sweep.ts';
import { until } from '../until.ts';
import { expectFree, startTicks } from './in-place.ts';
import type { Target } from './target.ts';

export interface Trial {
  /** Not named: the program of before again. */
  readonly command?: readonly string[];
  /** Ms; null: as hotexec thinks best. */
  readonly probationMs?: number | null;
  readonly rollback?: boolean;
  readonly children?: 'kill' | 'keep';
  readonly env?: readonly (readonly [name: string, value: string])[];
  readonly signal?: AbortSignal;
  /** The rest of the options. */
  readonly options?: Partial<RestartOptions>;
  /** The first engine, and what starts the others; not named: the built one. */
  readonly engines?: Pick<Session, 'engine' | 'startEngine'>;
  /** When the phase begins; the engine that tells it works on meanwhile. */
  readonly at?: Partial<Record<Phase, (enginePid: number) => void>>;
}

const start: StartEngine = () => {
  const [execPath = '', ...args] = builtEngine;
  return launchEngine({ execPath, args, env: process.env });
};

export async function tryProgram(pid: number, trial: Trial): Promise<RestartResult> {
  const { engine, startEngine } = trial.engines ?? { engine: start(), startEngine: start };
  const onEvent = (event: HotexecEvent): void => {
    if (event.kind === 'phase') trial.at?.[event.phase]?.(engine.pid ?? 0);
  };
  const session = { engine, startEngine, onEvent };
  return await askRestart(requestOf(pid, trial), { ...session, signal: trial.signal });
}

function requestOf(pid: number, trial: Trial): RestartRequest {
  const { command = null, probationMs = null, rollback = true, children = 'kill', env = [], options = {} } = trial;
  return {
    kind: 'restart',
    operationId: 'probation',
    target: { name: `pid/${pid}`, pid, startTicks: startTicks(pid), container: null, spec: null },
    program: { ...sameProgram, command, env: { ...sameProgram.env, set: env } },
    options: { ...defaultRestartOptions, probationMs, rollback, children, ...options },
  };
}

/** What a rollback must bring back, seen from outside. */
interface Footprint {
  readonly startTicks: number;
  readonly stdio: readonly string[];
  /** Of the descriptors that it opened itself, as many as before: from 100 on they are those that a test run has passed on. */
  readonly others: number;
  readonly children: number;
  readonly signals: readonly unknown[];
}

function footprint(pid: number): Footprint {
  const { sigIgn, sigCgt, sigBlk } = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    startTicks: startTicks(pid),
    stdio: ['0', '1', '2'].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
    others: readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) > 2 && Number(fd) < 100).length,
    children: childrenOf(pid).length,
    signals: [sigIgn, sigCgt, sigBlk],
  };
}

/** The new program has failed, and the previous one answers in its place: the same process, and nobody holds it. */
export async function expectRolledBack(target: Target, end: Partial<ProgramEnd>, trial: Trial): Promise<RestartResult> {
  const before = footprint(target.pid);
  const result = await tryProgram(target.pid, trial);
  expect(result).toMatchObject({
    outcome: 'rolled-back',
    failed: end,
    probation: { end: 'failed' },
    error: { code: 'new-program-failed' },
  });
  await target.line(/^started/);
  await target.ask('are you there?');
  expectFree(target.pid);
  await expectFootprint(target.pid, before);
  return result;
}

async function expectFootprint(pid: number, before: Footprint): Promise<void> {
  const seen = await until(
    'all is as it was',
    () => {
      const now = footprint(pid);
      return JSON.stringify(now, bigints) === JSON.stringify(before, bigints) && now;
    },
    1_000,
  ).catch(() => footprint(pid));
  expect(seen).toEqual(before);
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
