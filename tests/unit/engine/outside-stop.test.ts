import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/engine/observe.ts';
import { yieldToStop } from '../../../src/engine/outside-stop.ts';
import { HotexecError } from '../../../src/errors.ts';
import { parseStatus } from '../../../src/procfs/status.ts';
import { compile } from '../../support/kernel/compile.ts';
import { start } from '../../support/kernel/target.ts';
import { needs } from '../../support/needs.ts';
import { observedProcess } from './observed.ts';

// A program that blocks everything stands in for one that is held: what it is sent stays pending.
async function held(
  stopSignal: string | null,
  pendingBefore: readonly NodeJS.Signals[] = [],
): Promise<{ readonly pid: number; readonly observed: Observed }> {
  const { pid } = await start(compile('blocked'));
  for (const signal of pendingBefore) process.kill(pid, signal);
  const status = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { pid, observed: observedProcess({ target: { pid }, spec: { stopSignal }, status }) };
}

function error(observed: Observed): string | null {
  try {
    yieldToStop(observed);
    return null;
  } catch (thrown) {
    if (thrown instanceof HotexecError && thrown.code === 'stopped-by-other') return thrown.message;
    throw thrown;
  }
}

const given = (name: string): string =>
  `docker/web: somebody sent ${name} meanwhile (docker stop?). The restart was given up and the old program gets the signal.`;

describe('during the hold', () => {
  needs({ command: 'gcc' });

  it('nothing came: the restart goes on', async () => {
    const { observed } = await held(null);
    expect(error(observed)).toBeNull();
  });

  it.each<readonly [string | null, NodeJS.Signals]>([
    [null, 'SIGTERM'],
    ['SIGQUIT', 'SIGTERM'],
    ['SIGQUIT', 'SIGQUIT'],
    ['QUIT', 'SIGQUIT'],
    ['SIGWINCH', 'SIGWINCH'],
  ])('a container whose stop signal is %s is sent %s: the old program gets it', async (stopSignal, signal) => {
    const { pid, observed } = await held(stopSignal);
    process.kill(pid, signal);
    expect(error(observed)).toBe(given(signal));
  });

  it.each<readonly [string | null, NodeJS.Signals]>([
    [null, 'SIGQUIT'],
    ['SIGQUIT', 'SIGHUP'],
    [null, 'SIGUSR1'],
  ])('a container whose stop signal is %s is sent %s: the restart goes on', async (stopSignal, signal) => {
    const { pid, observed } = await held(stopSignal);
    process.kill(pid, signal);
    expect(error(observed)).toBeNull();
  });

  it('a stop signal that the old program had blocked before is none of our business', async () => {
    const { observed } = await held('SIGQUIT', ['SIGTERM', 'SIGQUIT']);
    expect(error(observed)).toBeNull();
  });

  it.each([
    ['SIGRTMIN+3', 37],
    ['RTMIN+3', 37],
    ['37', 37],
    ['3', 3],
    ['sigquit', 3],
  ])('a container whose stop signal is %s is sent that: the old program gets it', async (stopSignal, number) => {
    const { pid, observed } = await held(stopSignal);
    process.kill(pid, number);
    expect(error(observed)).not.toBeNull();
  });
});
