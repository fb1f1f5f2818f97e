import { expect, test } from 'vitest';
import { listenerOn, startTime } from '../../../src/demo/process-facts.ts';

test('a start time is the boot time and the ticks since', () => {
  const procStat = 'cpu  1 2 3 4\nctxt 1990473\nbtime 1795474600\nprocesses 2915\n';
  expect(startTime(104_498, procStat).toISOString()).toBe(new Date(1_795_474_600_000 + 1_044_980).toISOString());
});

const netTcp = `\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 38650 1 0000000000000000 100 0 0 10 0
   1: 0100007F:9C42 0100007F:9C41 06 00000000:00000000 03:0000018B 00000000     0        0 0 3 0000000000000000
   2: 0100007F:9C41 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 40001 1 0000000000000000 20 4 30 10 -1
`;

test('the listener is told from connections to it', () => {
  expect(listenerOn(40_001, netTcp)).toBe(38_650);
});

test('a port that nobody listens on has none', () => {
  expect(listenerOn(40_002, netTcp)).toBeNull();
});
