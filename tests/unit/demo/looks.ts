// What the demo saw in one of its runs.
import type { Before, ComparedRun } from '../../../src/demo/compare.ts';
import type { RenderedRun } from '../../../src/demo/render.ts';
import { restartResult } from '../../support/samples.ts';

const facts = {
  pid: 17_030,
  pidInside: 1,
  startTicks: 104_498,
  startTime: new Date('2026-11-23T23:10:44.980Z'),
  pidNamespace: 4_026_532_181,
  mountNamespace: 4_026_532_179,
  listenerInode: 38_650,
};

export const before: Before = { facts, answer: { instance: '2a365f99', version: '1.0', pid: 1, served: 1 } };

const result = { ...restartResult, target: 'pid/17030', pid: 17_030 };

export const atOnce: ComparedRun & RenderedRun = {
  trial: { name: 'at once', flags: '--no-drain --no-handover', losesNothing: false },
  tally: { sent: 312, answered: 281, refused: 26, cutOff: 5, slowestMs: 126.4 },
  facts: { ...facts, listenerInode: 39_596 },
  answer: { instance: '78f6c0e4', version: '1.0', pid: 1, served: 41 },
  timeline: { result: { ...result, drain: { ...result.drain, end: 'skipped' } } },
};

export const graceful: ComparedRun & RenderedRun = {
  trial: { name: 'graceful', flags: '--env DEMO_VERSION=1.1', losesNothing: true },
  tally: { sent: 305, answered: 305, refused: 0, cutOff: 0, slowestMs: 214.2 },
  facts,
  answer: { instance: '0c1d2e3f', version: '1.1', pid: 1, served: 77 },
  timeline: { result },
};

export const badVersion: ComparedRun & RenderedRun = {
  trial: { name: 'bad version', flags: '--env DEMO_VERSION=2.0', losesNothing: true },
  tally: { sent: 330, answered: 330, refused: 0, cutOff: 0, slowestMs: 280 },
  facts,
  answer: { instance: '9a8b7c6d', version: '1.1', pid: 1, served: 90 },
  timeline: {
    result: {
      ...result,
      outcome: 'rolled-back',
      failed: { exitCode: 1, signal: null, reason: 'exit', afterMs: 61.3 },
    },
  },
};

export const runs: readonly (ComparedRun & RenderedRun)[] = [atOnce, graceful, badVersion];
