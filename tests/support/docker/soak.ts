// Many restarts of one container under load: nothing may be lost, and nothing may pile up.
import type { RestartResult } from '../../../src/protocol/result.ts';
import { until } from '../until.ts';
import type { Container } from './container.ts';
import { footprintOf, type Footprint } from './footprint.ts';
import { hotexec } from './hotexec.ts';
import { startLoad } from './load.ts';
import { executionOf, startTicks } from './proc.ts';
import { answers, start, type Program } from './program.ts';
import { httpGet } from './talk.ts';

export interface SoakOptions {
  readonly program: Program;
  readonly restarts: number;
  readonly onRestart?: (done: number, report: Readonly<Pick<SoakReport, 'failures'>>) => void;
}

export interface SoakReport {
  readonly restarts: number;
  /** What went wrong, a line each; empty: nothing. */
  readonly failures: string[];
  readonly answered: number;
  readonly unanswered: number;
  readonly before: Footprint;
  readonly after: Footprint;
  readonly seconds: number;
  readonly medianHoldMs: number;
}

// By then every page that a first restart touches has been touched.
const warmUp = 5;

export async function soak({ program, restarts, onRestart }: SoakOptions): Promise<SoakReport> {
  const began = performance.now();
  await using container = await start(program);
  const identity = await identityOf(container);
  const failures: string[] = [];
  for (let done = 0; done < warmUp; done++) await restartOnce(program, container, failures);
  const before = await settledFootprint(container);
  const holds: number[] = [];
  const { answered, failed } = await underLoad(container, async () => {
    for (let done = 1; done <= restarts; done++) {
      holds.push(await restartOnce(program, container, failures));
      onRestart?.(done, { failures });
    }
  });
  const after = await settledFootprint(container, before);
  if ((await identityOf(container)) !== identity)
    failures.push(`another container or process than before: ${identity}`);
  failures.push(...growth(before, after));
  return {
    restarts,
    failures,
    answered,
    unanswered: failed,
    before,
    after,
    seconds: (performance.now() - began) / 1000,
    medianHoldMs: holds.toSorted((a, b) => a - b)[Math.floor(holds.length / 2)] ?? Number.NaN,
  };
}

async function underLoad(
  container: Container,
  work: () => Promise<void>,
): Promise<{ answered: number; failed: number }> {
  await using load = startLoad(async () => await httpGet(container.address, 8080));
  await work();
  return { answered: load.answered, failed: load.failed };
}

/** How long the program was held; what went wrong goes to `failures`. */
async function restartOnce(program: Program, container: Container, failures: string[]): Promise<number> {
  const execution = await executionOf(container.pid);
  const { exitCode, stdout, stderr } = await hotexec('restart', container.target, '--no-drain', '-o', 'json');
  const result = JSON.parse(stdout || '{}') as Partial<RestartResult>;
  if (exitCode !== 0 || result.outcome !== 'restarted') {
    failures.push(`exit ${exitCode}, outcome ${result.outcome}: ${stdout.trim()} ${stderr.trim()}`);
  }
  await answers(program, container);
  if ((await executionOf(container.pid)) === execution) failures.push('the old program still answers');
  return result.timingsMs?.hold ?? Number.NaN;
}

async function identityOf(container: Container): Promise<string> {
  return JSON.stringify([await container.record(), await startTicks(container.pid)]);
}

// Connections that were just closed, threads that are not yet there, memory that is given back a moment later: the
// smallest of a few looks counts, and the looking ends as soon as there is no growth.
async function settledFootprint(container: Container, before?: Footprint): Promise<Footprint> {
  let least = await footprintOf(container);
  const settles = async (): Promise<boolean> => {
    const now = await footprintOf(container);
    const isSettled = before === undefined ? JSON.stringify(counts(now)) === JSON.stringify(counts(least)) : true;
    least = now;
    return isSettled && (before === undefined || growth(before, now).length === 0);
  };
  // If it never settles, the comparison says in what.
  await until('the container has settled', settles, 10_000).catch(() => undefined);
  return least;
}

function counts({ descriptors, threads, children, mappings, hotexecProcesses }: Footprint): number[] {
  return [descriptors, threads, children, mappings, hotexecProcesses];
}

// A run of one program is not exactly as large as another; a leak of a page or a thread at each restart is larger.
const allowed: Readonly<Record<keyof Footprint, number>> = {
  descriptors: 2,
  threads: 3,
  children: 0,
  zombies: 0,
  tasks: 3,
  mappings: 12,
  anonymousBytes: 8 * 1024 * 1024,
  kernelBytes: 2 * 1024 * 1024,
  hotexecProcesses: 0,
  journalFiles: 0,
};

function growth(before: Footprint, after: Footprint): string[] {
  return footprintKeys
    .filter((key) => after[key] > before[key] + allowed[key])
    .map((key) => `${key} grew from ${before[key]} to ${after[key]}`);
}

const footprintKeys = [
  ...(['descriptors', 'threads', 'children', 'zombies', 'tasks', 'mappings'] as const),
  ...(['anonymousBytes', 'kernelBytes', 'hotexecProcesses', 'journalFiles'] as const),
];
