// The record against what runs: a container may have been restarted by its runtime, a program may have executed another, and an engine
// may have been killed before it wrote what came of its exec. Pure.
import type { MendResult } from '../protocol/event.ts';
import { keptIn } from './bound.ts';
import { isInMemory, isSameProcess, isSameProgram, isSameRun, type Entry, type Running } from './entry.ts';
import { goodVersions } from './resolve.ts';

export interface Reconciled {
  readonly entries: readonly Entry[];
  /** Kept files of a start that never was, or whose files were put back. */
  readonly unneeded: readonly string[];
}

export interface World {
  readonly running: Running;
  /** What a mender found; `nothing`: there was none. */
  readonly mended: MendResult['found'];
  /** ISO 8601. */
  readonly now: string;
}

/** Afterwards the newest version that has not failed is the one that runs. */
export function reconcile(all: readonly Entry[], world: World): Reconciled {
  const { entries, unneeded } = settleLeft(all, world);
  return { entries: withRunning(entries, world), unneeded };
}

/** A start of which the end was not written. */
function settleLeft(entries: readonly Entry[], world: World): Reconciled {
  const left = entries.find(({ state }) => state === 'starting');
  if (left === undefined) return { entries, unneeded: [] };
  const others = entries.filter((entry) => entry !== left);
  switch (whatCame(left, others, world)) {
    case 'old':
      return { entries: others, unneeded: keptIn([left]) };
    case 'previous':
      return { entries: [...others, { ...left, state: 'failed' }], unneeded: keptIn([left]) };
    case 'new':
      return {
        entries: [...others.map(replaced), { ...left, state: 'running', run: world.running.run }],
        unneeded: [],
      };
  }
}

/** Without a mender the process itself tells: by its stack, which each exec puts elsewhere, and by what it runs. */
function whatCame(left: Entry, others: readonly Entry[], { running, mended }: World): 'old' | 'new' | 'previous' {
  if (mended === 'old' || mended === 'new' || mended === 'previous') return mended;
  const before = goodVersions(others).at(-1);
  if (before === undefined) return 'new';
  if (isSameRun(before.run, running.run)) return 'old';
  const isBack = isSameProgram(before.program, running.program) && !isSameProgram(left.program, running.program);
  return isBack && isSameProcess(before.run, running.run) ? 'previous' : 'new';
}

function withRunning(entries: readonly Entry[], { running, now }: World): readonly Entry[] {
  const newest = goodVersions(entries).at(-1);
  if (newest === undefined) return [...entries, found(running, { number: nextNumber(entries), now })];
  const runsStill = isSameRun(newest.run, running.run);
  if (runsStill || isStartedAgain(newest, running)) {
    return entries.map((entry) =>
      entry === newest ? { ...entry, state: 'running', end: null, run: running.run } : entry,
    );
  }
  const state = isSameProcess(newest.run, running.run) ? 'replaced' : 'ended';
  const rest = entries.map((entry): Entry =>
    entry === newest && entry.state === 'running' ? { ...entry, state } : entry,
  );
  return [...rest, found(running, { number: nextNumber(entries), now })];
}

/** By its runtime, or by somebody's exec: the files in the container are as they were, so it is the same version. */
function isStartedAgain(newest: Entry, { program }: Running): boolean {
  return !isInMemory(newest) && isSameProgram(newest.program, program);
}

function found({ program, run }: Running, { number, now }: { readonly number: number; readonly now: string }): Entry {
  return {
    number,
    startedAt: null,
    recordedAt: now,
    by: null,
    operationId: null,
    backTo: null,
    program,
    files: [],
    filesComplete: true,
    state: 'running',
    end: null,
    run,
  };
}

export function nextNumber(entries: readonly Entry[]): number {
  return Math.max(0, ...entries.map(({ number }) => number)) + 1;
}

/** Another one runs now. */
export function replaced(entry: Entry): Entry {
  return entry.state === 'running' ? { ...entry, state: 'replaced' } : entry;
}
