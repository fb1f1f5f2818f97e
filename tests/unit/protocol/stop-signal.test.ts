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

describe('the grace period', () => {
  it.each([
    ['is 10 s where nothing tells', null, null, 10_000],
    ['is 10 s where the spec does not tell', { stopTimeoutSeconds: null }, null, 10_000],
    ["is the container's own stop timeout", { stopTimeoutSeconds: 30 }, null, 30_000],
    ['may be none', { stopTimeoutSeconds: 0 }, null, 0],
    ["is the user's, whatever the container has", { stopTimeoutSeconds: 30 }, 500, 500],
    ['is a day where the container is to be waited for without an end', { stopTimeoutSeconds: -1 }, null, 86_400_000],
    ['is a day at most', { stopTimeoutSeconds: 1e9 }, null, 86_400_000],
  ])('%s', (_, spec, gracePeriodMs, expected) => {
    expect(gracePeriodOf(spec, { gracePeriodMs })).toBe(expected);
  });
});
