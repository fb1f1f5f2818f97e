import { describe, expect, it } from 'vitest';
import { gracePeriodOf, signalNumber } from '../../../src/protocol/stop-signal.ts';

describe('a stop signal', () => {
  it.each([
    ['SIGTERM', 15],
    ['term', 15],
    ['sigquit', 3],
    ['15', 15],
    ['64', 64],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX', 64],
    ['RTMAX-1', 63],
    ['0', undefined],
    ['65', undefined],
    ['-1', undefined],
    ['RTMIN+31', undefined],
    ['RTMIN-1', undefined],
    ['RTMAX+1', undefined],
    ['SIG', undefined],
    ['', undefined],
    ['SIGSIGTERM', undefined],
    ['SIGNOT', undefined],
  ])('%j is %s', (text, number) => {
    expect(signalNumber(text)).toBe(number);
  });
});

const unsaid = { gracePeriodMs: null };

describe('the grace period', () => {
  it.each([
    ['is 10 s where nothing tells', gracePeriodOf(null, unsaid), 10_000],
    ['is 10 s where the spec does not tell', gracePeriodOf({ stopTimeoutSeconds: null }, unsaid), 10_000],
    ["is the container's own stop timeout", gracePeriodOf({ stopTimeoutSeconds: 30 }, unsaid), 30_000],
    ['may be none', gracePeriodOf({ stopTimeoutSeconds: 0 }, unsaid), 0],
    [
      "is the user's, whatever the container has",
      gracePeriodOf({ stopTimeoutSeconds: 30 }, { gracePeriodMs: 500 }),
      500,
    ],
    [
      'is a day where the container is to be waited for without an end',
      gracePeriodOf({ stopTimeoutSeconds: -1 }, unsaid),
      86_400_000,
    ],
    ['is a day at most', gracePeriodOf({ stopTimeoutSeconds: 1e9 }, unsaid), 86_400_000],
  ])('%s', (_, graceMs, expected) => {
    expect(graceMs).toBe(expected);
  });
});
