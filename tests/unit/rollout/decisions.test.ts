import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Policy, type Situation, type Stage } from '../../../src/rollout/decide.ts';
import { atOnce, parseMaxUnavailable } from '../../../src/rollout/max-unavailable.ts';
import { rolloutOrder } from '../../../src/rollout/order.ts';
import { regression, settled, type Settling } from '../../../src/rollout/settle.ts';
import { rolloutPod } from './pods.ts';

describe('the order', () => {
  it('of a StatefulSet is the highest ordinal first, as a number', () => {
    const pods = ['web-0', 'web-10', 'web-9', 'web-1'].map((name) => rolloutPod(name, { ready: name !== 'web-0' }));
    expect(rolloutOrder('statefulset', pods).map(({ name }) => name)).toEqual(['web-10', 'web-9', 'web-1', 'web-0']);
  });

  it.each(['deployment', 'daemonset', 'pods'] as const)('of a %s: not ready, cheap, young, by name', (kind) => {
    const pods = [
      rolloutPod('old', { createdMs: 1 }),
      rolloutPod('b', { createdMs: 5 }),
      rolloutPod('a', { createdMs: 5 }),
      rolloutPod('dear', { createdMs: 9, deletionCost: 10 }),
      rolloutPod('cheap', { createdMs: 0, deletionCost: -1 }),
      rolloutPod('broken', { ready: false, deletionCost: 99 }),
    ];
    const order = rolloutOrder(kind, pods).map(({ name }) => name);
    expect(order).toEqual(['broken', 'cheap', 'a', 'b', 'old', 'dear']);
  });

  it('does not depend on the order in which they are listed, and loses none', () => {
    const anyPod = fc.record({ name: fc.stringMatching(/^web-\d{1,2}$/), ready: fc.boolean(), createdMs: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPod, { selector: ({ name }) => name }),
        fc.constantFrom('statefulset', 'deployment'),
        (some, kind) => {
          const pods = some.map(({ name, ...rest }) => rolloutPod(name, rest));
          const order = rolloutOrder(kind, pods);
          expect(rolloutOrder(kind, pods.toReversed())).toEqual(order);
          expect(new Set(order)).toEqual(new Set(pods));
        },
      ),
    );
  });
});

describe('--max-unavailable', () => {
  it.each([
    ['1', 5, 1],
    ['3', 2, 3],
    ['25%', 10, 2],
    ['25%', 3, 1],
    ['100%', 7, 7],
    ['1%', 0, 1],
  ])('%s of %i pods are %i', (text, pods, expected) => {
    const parsed = parseMaxUnavailable(text);
    expect(parsed && atOnce(parsed, pods)).toBe(expected);
  });

  it.each(['0', '0%', '', '-1', '101%', '1.5', '25 %', 'x', '%'])('takes no %j', (text) => {
    expect(parseMaxUnavailable(text)).toBeUndefined();
  });

  it('is never none, and never more than all by a percentage', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 10_000 }), (value, pods) => {
        const number = atOnce({ kind: 'percent', value }, pods);
        expect(number).toBeGreaterThanOrEqual(1);
        expect(number).toBeLessThanOrEqual(pods);
      }),
    );
  });
});

function at(stages: readonly Stage[], more: Partial<Situation> = {}): Situation {
  return { stages, lastEndMs: null, nowMs: 1_000, cancelled: false, ...more };
}

describe('what comes next', () => {
  const policy: Policy = { atOnce: 1, pauseMs: 0, continueOnError: false };

  it('is the first that waits', () => {
    expect(decide(at(['done', 'skipped', 'waiting', 'waiting']), policy)).toEqual({ kind: 'start', index: 2 });
  });

  it('is to wait until a pod has settled', () => {
    expect(decide(at(['settling', 'waiting']), policy)).toEqual({ kind: 'wait', untilMs: null });
    expect(decide(at(['settling', 'waiting']), { ...policy, atOnce: 2 })).toEqual({ kind: 'start', index: 1 });
  });

  it('is to wait for the pause', () => {
    const paused = { ...policy, pauseMs: 500 };
    expect(decide(at(['done', 'waiting'], { lastEndMs: 900 }), paused)).toEqual({ kind: 'wait', untilMs: 1_400 });
    expect(decide(at(['done', 'waiting'], { lastEndMs: 500 }), paused)).toEqual({ kind: 'start', index: 1 });
  });

  it('is nothing after a failure, but what is under way is waited for', () => {
    expect(decide(at(['failed', 'waiting']), policy)).toEqual({ kind: 'end' });
    expect(decide(at(['failed', 'restarting', 'waiting']), { ...policy, atOnce: 3 }).kind).toBe('wait');
    expect(decide(at(['failed', 'waiting']), { ...policy, continueOnError: true }).kind).toBe('start');
  });

  it('is nothing after a Ctrl-C', () => {
    expect(decide(at(['done', 'waiting'], { cancelled: true }), policy)).toEqual({ kind: 'end' });
  });

  it('keeps the number, the order and the pause whatever becomes of the pods, and comes to an end', () => {
    fc.assert(
      fc.property(fc.array(anyFate, { maxLength: 12 }), anyPolicy, (fates, some) => {
        const { stages, starts, mostBusy } = simulate(fates, some);
        expect(mostBusy).toBeLessThanOrEqual(some.atOnce);
        expect(starts.map(({ index }) => index)).toEqual(starts.map((_, turn) => turn));
        expect(starts.filter(({ pausedMs }) => pausedMs < some.pauseMs)).toEqual([]);
        expect(stages.filter((stage) => stage === 'restarting')).toEqual([]);
        expect(starts.filter(({ afterFailure }) => afterFailure && !some.continueOnError)).toEqual([]);
        const isStopped = stages.includes('failed') && !some.continueOnError;
        expect(isStopped || starts.length === fates.length).toBe(true);
      }),
    );
  });
});

interface Fate {
  readonly end: 'done' | 'failed' | 'skipped';
  readonly takesMs: number;
}

const anyFate: fc.Arbitrary<Fate> = fc.record({
  end: fc.constantFrom('done', 'failed', 'skipped'),
  takesMs: fc.integer({ min: 0, max: 50 }),
});

const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  atOnce: fc.integer({ min: 1, max: 4 }),
  pauseMs: fc.constantFrom(0, 10),
  continueOnError: fc.boolean(),
});

interface Start {
  readonly index: number;
  readonly pausedMs: number;
  readonly afterFailure: boolean;
}

/** Does what is decided, with pods that take their time and end as told. */
function simulate(fates: readonly Fate[], policy: Policy): { stages: Stage[]; starts: Start[]; mostBusy: number } {
  const stages: Stage[] = fates.map(() => 'waiting');
  const endsAtMs = new Map<number, number>();
  const starts: Start[] = [];
  let mostBusy = 0;
  let nowMs = 0;
  let lastEndMs: number | null = null;
  for (let steps = 0; steps < 500; steps += 1) {
    const decision = decide({ stages, lastEndMs, nowMs, cancelled: false }, policy);
    if (decision.kind === 'end') return { stages, starts, mostBusy };
    if (decision.kind === 'start') {
      const { index } = decision;
      const pausedMs = lastEndMs === null ? Infinity : nowMs - lastEndMs;
      starts.push({ index, pausedMs, afterFailure: stages.includes('failed') });
      stages[index] = 'restarting';
      endsAtMs.set(index, nowMs + (fates[index]?.takesMs ?? 0));
      mostBusy = Math.max(mostBusy, endsAtMs.size);
      continue;
    }
    const [index, endMs] = [...endsAtMs].toSorted((a, b) => a[1] - b[1])[0] ?? [-1, Infinity];
    const untilMs = decision.untilMs ?? Infinity;
    nowMs = Math.max(nowMs, Math.min(endMs, untilMs));
    if (endMs > untilMs) continue;
    stages[index] = fates[index]?.end ?? 'done';
    endsAtMs.delete(index);
    lastEndMs = nowMs;
  }
  throw new Error('it does not come to an end');
}

describe('a pod is available again', () => {
  const before = rolloutPod('web-0');
  const settling: Settling = {
    before,
    now: before,
    sinceExecMs: 10,
    minReadyMs: 0,
    staleForMs: 0,
    readyWithinMs: 5_000,
  };

  it('at once where nothing has to be waited for', () => {
    expect(settled(settling)).toBe('available');
  });

  it('when minReadySeconds are over since the exec, ready as the API has it all the time', () => {
    expect(settled({ ...settling, minReadyMs: 1_000, sinceExecMs: 999 })).toBe('wait');
    expect(settled({ ...settling, minReadyMs: 1_000, sinceExecMs: 1_000 })).toBe('available');
  });

  it('when its Ready cannot be the old one any more', () => {
    expect(settled({ ...settling, staleForMs: 1_000, sinceExecMs: 999 })).toBe('wait');
  });

  it('not while it is not ready, and not for ever', () => {
    const now = { ...before, ready: false };
    expect(settled({ ...settling, now })).toBe('wait');
    expect(settled({ ...settling, now, sinceExecMs: 5_000 })).toEqual({
      failed: 'it is not ready 5 s after its restart',
    });
  });

  it('not if the kubelet has restarted its container', () => {
    expect(settled({ ...settling, now: { ...before, restarts: 1 } })).toMatchObject({ failed: /kubelet/ });
  });

  it('never, if it is gone', () => {
    expect(settled({ ...settling, now: null })).toBe('gone');
    expect(settled({ ...settling, now: { ...before, uid: 'another' } })).toBe('gone');
    expect(settled({ ...settling, now: { ...before, state: 'deleting' } })).toBe('gone');
  });

  it('and may become worse later', () => {
    expect(regression(before, before)).toBeNull();
    expect(regression(before, undefined)).toBeNull();
    expect(regression(before, { ...before, ready: false })).toBe('was restarted, and is not ready any more');
    expect(regression({ ...before, ready: false }, { ...before, ready: false })).toBeNull();
    expect(regression(before, { ...before, restarts: 1 })).toMatch(/has ended since/);
  });
});
