// Many restarts of one container under load: nothing may be lost, and nothing may pile up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** What each of them does; not named: a restart of the same program. */
  readonly change?: OneChange;
  readonly onRestart?: (done: number, failures: readonly string[]) => void;
}

/** The words of the command for the N-th change, from 1, and the outcome that it must have. */
export type OneChange = (
  target: string,
  number: number,
) => { readonly words: readonly string[]; readonly outcome: RestartResult['outcome'] };

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

const sameAgain: OneChange = (target) => ({ words: ['restart', target, '--no-drain'], outcome: 'restarted' });

export async function soak({ program, restarts, change = sameAgain, onRestart }: SoakOptions): Promise<SoakReport> {
  const began = performance.now();
  await using container = await start(program);
  using runtime = ownRuntimeDirectory();
  const identity = await identityOf(container);
  const failures: string[] = [];
  const changeOnce = async (number: number): Promise<number> => {
    return await restartOnce(program, container, { change: change(container.target, number), failures });
  };
  for (let done = 0; done < warmUp; done++) await changeOnce(done);
  const before = await settled(container, runtime.path);
  const holds: number[] = [];
  const { answered, failed } = await underLoad(container, async () => {
    for (let done = 1; done <= restarts; done++) {
      holds.push(await changeOnce(done));
      onRestart?.(done, failures);
    }
  });
  const after = await settled(container, runtime.path, before);
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
async function restartOnce(
  program: Program,
  container: Container,
  { change, failures }: { readonly change: ReturnType<OneChange>; readonly failures: string[] },
): Promise<number> {
  const execution = await executionOf(container.pid);
  const at = change.words.includes('--') ? change.words.indexOf('--') : change.words.length;
  const words = [...change.words.slice(0, at), '-o', 'json', ...change.words.slice(at)];
  const { exitCode, stdout, stderr } = await hotexec(...words);
  const result = JSON.parse(stdout || '{}') as Partial<RestartResult>;
  if (result.outcome !== change.outcome) {
    failures.push(`exit ${exitCode}, outcome ${result.outcome}: ${stdout.trim()} ${stderr.trim()}`);
  }
  await answers(program, container).catch((cause: unknown) => {
    throw new Error(`lost: the program answers no more; ${failures.join('\n')}`, { cause });
  });
  if ((await executionOf(container.pid)) === execution) failures.push('the old program still answers');
  return result.timingsMs?.hold ?? Number.NaN;
}

async function identityOf(container: Container): Promise<string> {
  return JSON.stringify([await container.record(), await startTicks(container.pid)]);
}

// Hotexec keeps its journals there, and no other hotexec of this machine does.
function ownRuntimeDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'hotexec-soak-'));
  const former = process.env['HOTEXEC_RUNTIME_DIR'];
  process.env['HOTEXEC_RUNTIME_DIR'] = path;
  return {
    path,
    [Symbol.dispose]() {
      if (former === undefined) delete process.env['HOTEXEC_RUNTIME_DIR'];
      else process.env['HOTEXEC_RUNTIME_DIR'] = former;
      rmSync(path, { recursive: true });
    },
  };
}

// Connections that were just closed, threads that are not there yet, memory that is given back a moment later: look
// until two looks in a row see the same, or, with `before`, until nothing has grown.
async function settled(container: Container, directory: string, before?: Footprint): Promise<Footprint> {
  let last = await footprintOf(container, directory);
  const settles = async (): Promise<boolean> => {
    const former = last;
    last = await footprintOf(container, directory);
    return before === undefined ? counts(former).join() === counts(last).join() : growth(before, last).length === 0;
  };
  // If it never settles, the comparison says in what.
  await until('the container has settled', settles, 10_000).catch(() => undefined);
  return last;
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
