// A restart as it was seen in a run of the demo, and what can differ in others.
import type { Timeline } from '../../../../src/front/timeline.ts';
import { restartResult } from '../../../support/samples.ts';

const held = (atMs: number, ms: number, threads: number): Timeline['moments'][number] => ({
  atMs,
  moment: { what: 'held', threads, ms },
});
const sample = (atMs: number, threads: number, waiting: number | null): Timeline['moments'][number] => ({
  atMs,
  moment: { what: 'sample', threads, waiting },
});

/** With a drain of 90 ms, a hold of 3 ms before and one of 4 ms after it, and a start of 60 ms. */
export const graceful: Timeline = {
  title: 'docker/web',
  about: null,
  result: { ...restartResult, timingsMs: { hold: 7, total: 200 } },
  phases: [
    { phase: 'observe', atMs: 1 },
    { phase: 'plan', atMs: 10 },
    { phase: 'hold', atMs: 30 },
    { phase: 'prove', atMs: 31 },
    { phase: 'drain', atMs: 33.5 },
    { phase: 'prove', atMs: 126 },
    { phase: 'swap', atMs: 126.1 },
    { phase: 'reset', atMs: 128 },
    { phase: 'release', atMs: 129 },
    { phase: 'probation', atMs: 130 },
    { phase: 'verify', atMs: 190 },
  ],
  moments: [
    held(33, 3, 7),
    { atMs: 33.6, moment: { what: 'asked', signal: 'SIGTERM' } },
    sample(40, 7, 1),
    sample(60, 5, 9),
    { atMs: 124, moment: { what: 'caught', end: 'exit 0' } },
    held(129.5, 4, 2),
    sample(140, 1, 20),
    { atMs: 180, moment: { what: 'bound', address: '0.0.0.0:80' } },
    { atMs: 189, moment: { what: 'listening' } },
  ],
  endMs: 201,
  requests: [],
};

export const withRequests: Timeline = {
  ...graceful,
  requests: [
    { startMs: -20, endMs: -10, end: 'answered', by: 0 },
    { startMs: 50, endMs: 195, end: 'answered', by: 1 },
    { startMs: 60, endMs: 61, end: 'refused', by: null },
    { startMs: 25, endMs: 126, end: 'reset', by: null },
  ],
};

/** The drain lasts for a minute. */
export const longDrain: Timeline = {
  ...graceful,
  phases: graceful.phases.map(({ phase, atMs }) => ({ phase, atMs: later(atMs) })),
  moments: graceful.moments.map(({ moment, atMs }) => ({ moment, atMs: later(atMs) })),
  endMs: later(graceful.endMs),
};

export const rolledBack: Timeline = {
  ...graceful,
  result: {
    ...graceful.result,
    outcome: 'rolled-back',
    failed: { exitCode: 1, signal: null, reason: 'exit', afterMs: 40 },
  },
  phases: [
    ...graceful.phases.slice(0, -1),
    { phase: 'rollback', atMs: 170 },
    { phase: 'prove', atMs: 172 },
    { phase: 'swap', atMs: 172.5 },
    { phase: 'reset', atMs: 174 },
    { phase: 'release', atMs: 175 },
    { phase: 'probation', atMs: 176 },
    { phase: 'verify', atMs: 240 },
  ],
  moments: [
    ...graceful.moments.slice(0, 7),
    { atMs: 169.5, moment: { what: 'caught', end: 'exit 1' } },
    held(175.5, 5, 2),
    { atMs: 239, moment: { what: 'listening' } },
  ],
  endMs: 250,
};

/** It failed in the hold; nothing else was told. */
export const unchanged: Timeline = {
  ...graceful,
  result: { ...graceful.result, outcome: 'unchanged', timingsMs: { hold: 0, total: 34 } },
  phases: graceful.phases.slice(0, 4),
  moments: [],
  endMs: 35,
};

/** An engine that told nothing before it died. */
const nothing: Timeline = { ...unchanged, phases: [], endMs: 0 };

export const all: readonly (readonly [name: string, timeline: Timeline])[] = [
  ['graceful', graceful],
  ['with requests', withRequests],
  ['with a long drain', longDrain],
  ['rolled back', rolledBack],
  ['unchanged', unchanged],
  ['of nothing', nothing],
];

function later(atMs: number): number {
  return atMs > 100 ? atMs + 60_000 : atMs;
}
