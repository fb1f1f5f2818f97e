// What the demo saw in one of its runs.
import type { Look } from '../../../src/demo/compare.ts';

const facts = {
  pid: 17_030,
  pidInside: 1,
  startTicks: 104_498,
  startTime: new Date('2026-11-23T23:10:44.980Z'),
  pidNamespace: 4_026_532_181,
  mountNamespace: 4_026_532_179,
};

export const before: Look = {
  facts: { ...facts, listenerInode: 38_650 },
  answer: { instance: '2a365f99', pid: 1, uptimeMs: 1_031.2, served: 21 },
  tally: { sent: 20, answered: 20, instances: ['2a365f99'], last: null },
};

export const after: Look = {
  facts: { ...facts, listenerInode: 39_596 },
  answer: { instance: '78f6c0e4', pid: 1, uptimeMs: 22.4, served: 1 },
  tally: { sent: 20, answered: 20, instances: ['78f6c0e4'], last: null },
};
