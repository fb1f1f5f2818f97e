// Restarts of one container under a counted load, spread over it evenly; by hotexec, or by its runtime to compare with.
import type { Drain, ListenerResult, RestartResult } from '../../../src/protocol/result.ts';
import { until } from '../until.ts';
import { Container } from './container.ts';
import { startCountedLoad, type Tally } from './counted-load.ts';
import { docker } from './docker.ts';
import type { GracefulProgram } from './graceful.ts';
import { hotexec } from './hotexec.ts';
import { answers, start } from './program.ts';

export interface UnderLoad {
  /** At least so many; more, if the restarts take longer. */
  readonly requests: number;
  readonly restarts: number;
  readonly keepAlive: boolean;
  readonly connections?: number;
  readonly flags?: readonly string[];
  /** `docker`: `docker restart`, with what the program needs to stop by itself. */
  readonly by?: 'hotexec' | 'docker';
}

export interface UnderLoadReport extends Tally {
  readonly restarted: number;
  readonly drains: readonly Drain[];
  /** Of all restarts. */
  readonly listeners: readonly ListenerResult[];
  /** From the end of the old program to the first listening socket of the new one, ms, the median. */
  readonly gapMs: number;
  readonly firstListenMs: number;
}

const wholeTimeoutMs = 600_000;

export async function restartUnderLoad(program: GracefulProgram, options: UnderLoad): Promise<UnderLoadReport> {
  await using container = await start(program, [...program.flags, ...(options.flags ?? [])]);
  let address = container.address;
  const exchange = program.exchange(() => address);
  const { requests, keepAlive, connections = 8 } = options;
  await using load = startCountedLoad(exchange, { requests: 10 * requests, connections, keepAlive });
  const results: RestartResult[] = [];
  let restarted = 0;
  for (; restarted < options.restarts; restarted++) {
    const due = Math.floor(((restarted + 0.5) * requests) / options.restarts);
    await until(`request ${due}`, () => total(load.tally) >= due, wholeTimeoutMs);
    if (options.by === 'docker') {
      await docker('restart', container.id);
      const again = new Container(container.name, await container.record());
      ({ address } = again);
      await answers(program, again);
    } else {
      results.push(await drainedRestart(container));
    }
  }
  await until(`request ${requests}`, () => total(load.tally) >= requests, wholeTimeoutMs);
  await load[Symbol.asyncDispose]();
  return {
    ...load.tally,
    restarted,
    drains: results.map(({ drain }) => drain),
    listeners: results.flatMap(({ listeners }) => listeners),
    gapMs: median(results.map(({ timingsMs }) => timingsMs['gap'] ?? Number.NaN)),
    firstListenMs: median(results.map(({ timingsMs }) => timingsMs['toFirstListen'] ?? Number.NaN)),
  };
}

/** As a user types it: drain and hand-over are the default. It must succeed. */
export async function drainedRestart(container: Container, ...flags: readonly string[]): Promise<RestartResult> {
  const { exitCode, stdout, stderr } = await hotexec('restart', container.target, ...flags, '-o', 'json');
  const result = JSON.parse(stdout || '{}') as RestartResult;
  if (exitCode === 0 && result.outcome === 'restarted') return result;
  throw new Error(`exit ${exitCode}: ${stdout}\n${stderr}\n${await container.logs()}`);
}

/** What a client may have noticed, a line each; empty: nothing. */
export function noticed({ finishesAll }: GracefulProgram, report: UnderLoadReport): string[] {
  const kinds: readonly Exclude<keyof Tally, 'slowestMs' | 'answered' | 'notReused'>[] = [
    ...(['refused', 'silent', 'wrong'] as const),
    ...(finishesAll ? (['reset', 'cut'] as const) : []),
  ];
  return [
    ...kinds.filter((kind) => report[kind] > 0).map((kind) => `${report[kind]} ${kind}`),
    ...report.drains.filter(({ end }) => end !== 'exited').map(({ end, why }) => `drain ${end}: ${why}`),
    ...report.listeners.filter(({ handedOver }) => !handedOver).map(({ address, why }) => `${address}: ${why}`),
  ];
}

function total(tally: Tally): number {
  const numbers: readonly number[] = Object.values(tally);
  return numbers.reduce((sum, count) => sum + count, 0) - tally.slowestMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
