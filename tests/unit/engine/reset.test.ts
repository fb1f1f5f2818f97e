import { describe, expect, it } from 'vitest';
import { freshLimits } from '../../../src/engine/reset/limits.ts';
import { ignoredSignals } from '../../../src/engine/reset/signals.ts';
import type { ResourceLimits } from '../../../src/procfs/limits.ts';
import { signalBit } from '../../../src/tracer/signals.ts';
import { observedProcess } from './observed.ts';

const SIGHUP = 1;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGPIPE = 13;
const SIGRTMAX = 64;

const ignoring = (...signals: readonly number[]): Parameters<typeof ignoredSignals>[0] =>
  observedProcess({ status: { sigIgn: signals.reduce((mask, signal) => mask | signalBit(signal), 0n) } }).status;

describe('signals that the old program ignored', () => {
  it('are all back to their default in a container', () => {
    expect(ignoredSignals(ignoring(SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGRTMAX), true)).toStrictEqual({
      toReset: [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGRTMAX],
      kept: [],
    });
  });

  it('stay ignored outside of one where nohup or a shell may have had them so', () => {
    expect(ignoredSignals(ignoring(SIGHUP, SIGINT, SIGQUIT, SIGPIPE), false)).toStrictEqual({
      toReset: [SIGPIPE],
      kept: [SIGHUP, SIGINT, SIGQUIT],
    });
  });

  it('are none when none is, or when the kernel does not tell', () => {
    const none = { toReset: [], kept: [] };
    expect(ignoredSignals(ignoring(), true)).toStrictEqual(none);
    expect(ignoredSignals(observedProcess({ status: { sigIgn: undefined } }).status, false)).toStrictEqual(none);
  });
});

describe('the limits of a fresh start', () => {
  const limits: ResourceLimits = {
    RLIMIT_NOFILE: { number: 7, soft: 256n, hard: 256n },
    RLIMIT_CORE: { number: 4, soft: 0n, hard: 0n },
  };
  const parent = { pid: 1, comm: 'containerd-shim', hasTerminal: false, coredumpFilter: null };
  const inherited: ResourceLimits = {
    RLIMIT_NOFILE: { number: 7, soft: 1024n, hard: 4096n },
    RLIMIT_CORE: { number: 4, soft: 'unlimited', hard: 'unlimited' },
  };
  const fresh = (rlimits: readonly { type: string; soft: number; hard: number }[] | null): ResourceLimits =>
    freshLimits(
      observedProcess({ limits, spec: { rlimits }, environment: { parent: { ...parent, limits: inherited } } }),
    );

  it('are those that the shim has, where the spec names none', () => {
    expect(fresh(null)).toStrictEqual(inherited);
    expect(fresh([])).toStrictEqual(inherited);
  });

  it("are the spec's before those of the shim", () => {
    expect(fresh([{ type: 'RLIMIT_NOFILE', soft: 512, hard: 1_048_576 }])).toStrictEqual({
      ...inherited,
      RLIMIT_NOFILE: { number: 7, soft: 512n, hard: 1_048_576n },
    });
  });

  it.each([-1, 2 ** 63, 2 ** 64, Number.MAX_VALUE])('have no limit where the spec says %d', (value) => {
    expect(fresh([{ type: 'RLIMIT_CORE', soft: value, hard: value }]).RLIMIT_CORE).toStrictEqual({
      number: 4,
      soft: 'unlimited',
      hard: 'unlimited',
    });
  });

  it('may be nothing at all', () => {
    expect(fresh([{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }]).RLIMIT_CORE).toStrictEqual({
      number: 4,
      soft: 0n,
      hard: 0n,
    });
  });

  it('know nothing of a name that the kernel does not have', () => {
    expect(fresh([{ type: 'RLIMIT_NONESUCH', soft: 1, hard: 1 }])).toStrictEqual(inherited);
  });

  it('are not known where the parent cannot be read', () => {
    const observed = observedProcess({ limits, spec: null, environment: { parent: { ...parent, limits: null } } });
    expect(freshLimits(observed)).toStrictEqual({});
    expect(freshLimits(observedProcess({ limits, spec: null, environment: { parent: null } }))).toStrictEqual({});
  });
});
