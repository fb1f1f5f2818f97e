import { describe, expect, it } from 'vitest';
import { planDrain } from '../../../src/engine/drain.ts';
import { foretellDrain, foretellListeners } from '../../../src/engine/foretell.ts';
import { defaultRestartOptions, type RestartOptions } from '../../../src/protocol/request.ts';
import { observedProcess, type Differences } from './observed.ts';

const SIGQUIT = 1n << 2n;
const SIGTERM = 1n << 14n;

function foretold(differences: Differences, options: Partial<RestartOptions> = {}): unknown {
  return foretellDrain(planDrain(observedProcess(differences), { ...defaultRestartOptions, ...options }));
}

const catching = { status: { sigCgt: SIGTERM } };

describe('what is told of a drain before it', () => {
  it.each([
    ['a handler for SIGTERM', foretold(catching), ['SIGTERM', 10_000]],
    ['SIGTERM blocked, for sigwait', foretold({ status: { sigBlk: SIGTERM } }), ['SIGTERM', 10_000]],
    ['SIGTERM waited for', foretold({ waitedSignals: SIGTERM }), ['SIGTERM', 10_000]],
    [
      'the image has a stop signal',
      foretold({ status: { sigCgt: SIGQUIT }, spec: { stopSignal: '3' } }),
      ['SIGQUIT', 10_000],
    ],
    [
      'the container has a stop timeout',
      foretold({ ...catching, spec: { stopTimeoutSeconds: 60 } }),
      ['SIGTERM', 60_000],
    ],
    [
      'the user says how',
      foretold({ status: { sigCgt: SIGQUIT } }, { signal: 'quit', gracePeriodMs: 5 }),
      ['SIGQUIT', 5],
    ],
  ])('%s', (_, drain, [signal, gracePeriodMs]) => {
    expect(drain).toEqual({ signal, gracePeriodMs, why: null });
  });

  it.each([
    ['no handler', foretold({ status: { sigCgt: SIGQUIT } }), 'it has no handler for SIGTERM'],
    [
      'blocked and ignored',
      foretold({ status: { sigBlk: SIGTERM, sigIgn: SIGTERM } }),
      'it has no handler for SIGTERM',
    ],
    ['none can have a handler', foretold(catching, { signal: 'KILL' }), 'it has no handler for SIGKILL'],
    ['it is stopped', foretold({ ...catching, stat: { ...observedProcess().stat, state: 'T' } }), 'it is stopped'],
    ['the user says so', foretold(catching, { drain: false }), 'asked for'],
  ])('where it is not asked: %s', (_, drain, why) => {
    expect(drain).toEqual({ signal: null, gracePeriodMs: null, why });
  });
});

it('what is told of the sockets: those that will be handed over first, then the others and why', () => {
  const served = [{ pid: 1, fd: 3, inode: 9, name: 'tcp', address: '0.0.0.0:80', listens: true, kept: false }];
  const refused = [{ protocol: 'udp', address: '0.0.0.0:53', handedOver: false, why: 'asked for' }];
  expect(foretellListeners({ served, refused })).toEqual([
    { protocol: 'tcp', address: '0.0.0.0:80', handOver: true, why: null },
    { protocol: 'udp', address: '0.0.0.0:53', handOver: false, why: 'asked for' },
  ]);
});
