import { describe, expect, it } from 'vitest';
import { planDrain } from '../../../src/engine/drain.ts';
import { foretellDrain } from '../../../src/engine/foretell.ts';
import { graceAfterHook, plannedHooks, skippedPreStop } from '../../../src/engine/running-hook.ts';
import { defaultRestartOptions, type RestartOptions } from '../../../src/protocol/request.ts';
import { observedProcess } from './observed.ts';

const SIGTERM = 1n << 14n;
const hooks = { preStop: { kind: 'exec' }, postStart: { kind: 'sleep', ms: 100 } } as const;

function asked(options: Partial<RestartOptions>, handlers = SIGTERM): ReturnType<typeof decided> {
  return decided({ ...defaultRestartOptions, runHooks: true, hooks, ...options }, handlers);
}

function decided(options: RestartOptions, handlers: bigint) {
  const drain = planDrain(observedProcess({ status: { sigCgt: handlers } }), options);
  return {
    run: plannedHooks(drain, options).map(({ hook, withinMs }) => [hook, withinMs]),
    skipped: skippedPreStop(drain, options)?.why ?? null,
    drain: foretellDrain(drain),
  };
}

describe('the hooks of a container', () => {
  it('are run when it is asked for: preStop within the grace period, postStart as long as a start may take', () => {
    expect(asked({ gracePeriodMs: 30_000, probationLimitMs: 60_000 })).toMatchObject({
      run: [
        ['preStop', 30_000],
        ['postStart', 60_000],
      ],
      skipped: null,
    });
    expect(asked({ runHooks: false })).toMatchObject({ run: [], skipped: null });
    expect(asked({ hooks: { preStop: null, postStart: null } })).toMatchObject({ run: [], skipped: null });
  });

  it('have ten seconds for postStart where nothing else is known, and never less than the probation', () => {
    expect(asked({}).run).toContainEqual(['postStart', 10_000]);
    expect(asked({ probationMs: 90_000, probationLimitMs: 60_000 }).run).toContainEqual(['postStart', 90_000]);
    expect(asked({ probationMs: 0 }).run).toContainEqual(['postStart', 10_000]);
  });

  it('are not run before a stop that is none: without a drain, and with no time for one', () => {
    expect(asked({ drain: false })).toMatchObject({
      run: [['postStart', 10_000]],
      skipped: 'is not run: the old program is not asked to finish (asked for)',
    });
    expect(asked({ gracePeriodMs: 0 })).toMatchObject({
      run: [['postStart', 10_000]],
      skipped: 'is not run: the grace period is 0',
    });
  });

  it('ask a program that has no handler for its stop signal', () => {
    const why = 'it has no handler for its stop signal, and is replaced when its preStop hook has ended';
    expect(asked({ gracePeriodMs: 5000 }, 0n)).toMatchObject({
      run: [
        ['preStop', 5000],
        ['postStart', 10_000],
      ],
      drain: { signal: null, gracePeriodMs: 5000, why },
    });
    expect(asked({ hooks: { ...hooks, preStop: null } }, 0n).drain).toMatchObject({ gracePeriodMs: null });
  });
});

describe('the grace period after a preStop hook', () => {
  it.each([
    [30_000, 4_500, 25_500],
    [30_000, 29_000, 2_000],
    [30_000, 30_000, 2_000],
    [1_000, 100, 2_000],
  ])('of %i ms is, when the hook took %i ms, %i ms', (graceMs, hookMs, left) => {
    expect(graceAfterHook(graceMs, hookMs)).toBe(left);
  });
});
