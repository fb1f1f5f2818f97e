// Records in a directory of the test's own, and what runs in the target.
import { join } from 'node:path';
import type { FileChange, ProgramBytes, Run, Running } from '../../../src/history/entry.ts';
import { recordProgram } from '../../../src/history/entry.ts';
import { openHistory, type OpenOptions, type ProgramHistory, type Start } from '../../../src/history/history.ts';
import type { HistoryPlace } from '../../../src/history/record-file.ts';
import { containerId, targetProcess } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';

export function place(directory: string = join(tempDirectory(), 'state')): HistoryPlace {
  return { directory, uid: process.getuid?.() ?? 0, by: 'ada', enginePid: process.pid };
}

export function pathOf({ directory }: HistoryPlace): string {
  return join(directory, `${containerId}.json`);
}

export function program(...argv: readonly string[]): ProgramBytes {
  return {
    path: Buffer.from(`/bin/${argv[0] ?? ''}`),
    argv: argv.map((word) => Buffer.from(word)),
    environment: [Buffer.from('TOKEN=secret')],
    cwd: '/',
  };
}

/** A life of the process: `exec` tells the execs apart, `start` the starts of the container. */
export function life(exec: number, start = 1): Run {
  return { pid: 4711, startTicks: start, bootId: 'boot', startStack: `0x${exec.toString(16)}` };
}

export function running(what: ProgramBytes, run: Run): Running {
  return { program: recordProgram(what), run };
}

export function open(
  where: HistoryPlace,
  now: Running,
  options: Partial<Omit<OpenOptions, 'running'>> = {},
): ProgramHistory {
  return openHistory(where, targetProcess, { running: now, isThere: () => true, ...options });
}

export function starting(what: ProgramBytes, differences: Partial<Start> = {}): Start {
  return { operationId: 'op', program: what, files: [], backTo: null, ...differences };
}

export function change(path: string, keptAs: string | null, sizeBytes = 1): FileChange {
  const before = keptAs === null ? null : { keptAs, mode: 0o755, uid: 0, gid: 0, sizeBytes, capability: null };
  return { path, change: keptAs === null ? 'created' : 'replaced', digest: 'd1', before };
}

export const one: ProgramBytes = program('app', '--one');
export const two: ProgramBytes = program('app', '--two');

/** The app found there, then replaced by another: two versions. */
export function recorded(where: HistoryPlace = place()): HistoryPlace {
  const history = open(where, running(one, life(1)));
  history.begin(starting(two, { files: [change('/bin/app', '/bin/.app.1')] }));
  history.settle({ kind: 'running', run: life(2) });
  return where;
}

/** `2 running app --two`, newest first. */
export function shown({ versions }: ProgramHistory): readonly string[] {
  return versions.map(({ number, state, program: { argv } }) => `${number} ${state} ${argv.join(' ')}`);
}
