import { describe, expect, it, vi } from 'vitest';
import { HotexecError } from '../../../src/errors.ts';
import { askRestart, longestMs } from '../../../src/front/restart.ts';
import { askInspection, askPlan } from '../../../src/front/session.ts';
import type { HotexecEvent } from '../../../src/protocol/event.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { fakeEngines, type FakeEngines } from '../../support/fake-engines.ts';
import { inspection, plan, restartResult, targetProcess } from '../../support/samples.ts';

// Each engine is a Node that starts: slow where eight of them do at once.
vi.setConfig({ testTimeout: 60_000 });

const operationId = restartResult.operationId;
const request = {
  kind: 'restart',
  operationId,
  target: { ...targetProcess, pid: process.pid },
  program: sameProgram,
  options: defaultRestartOptions,
} as const;

async function restartWith(
  engines: FakeEngines,
  extra: { signal?: AbortSignal; onEvent?: (event: HotexecEvent) => void } = {},
) {
  return askRestart(request, { engine: engines.start(), startEngine: engines.start, ...extra });
}

describe('a restart, seen from the front', () => {
  it('passes events on, and the result', async () => {
    const events: HotexecEvent[] = [];
    const result = await restartWith(fakeEngines(['works']), { onEvent: (event) => events.push(event) });
    expect(result).toEqual(restartResult);
    expect(events).toEqual([{ kind: 'phase', phase: 'observe', atMs: 1.5 }]);
  });

  it('rejects with what the engine says when nothing was begun', async () => {
    await expect(restartWith(fakeEngines(['refuses']))).rejects.toMatchObject({
      name: 'HotexecError',
      code: 'target-frozen',
      message: 'It is frozen.',
      hint: 'Thaw it.',
      result: null,
    });
  });

  it('puts lines together that arrive in pieces, and does not cut them at U+2028', async () => {
    const events: HotexecEvent[] = [];
    await restartWith(fakeEngines(['answers in pieces']), { onEvent: (event) => events.push(event) });
    expect(events).toEqual([{ kind: 'warning', message: 'line\u2028separators are no line breaks' }]);
  });

  it('is not lost on a caller that blocks its event loop for a while', async () => {
    const blocked = setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400), 1);
    try {
      expect((await restartWith(fakeEngines(['works']))).outcome).toBe('restarted');
    } finally {
      clearInterval(blocked);
    }
  });

  it('asks the engine to cancel, and waits for what it says', async () => {
    const controller = new AbortController();
    const onEvent = (): void => controller.abort();
    const result = await restartWith(fakeEngines(['waits for a cancel']), { signal: controller.signal, onEvent });
    expect(result).toMatchObject({ outcome: 'unchanged', error: { code: 'cancelled' } });
  });

  it('asks nothing at all when it was cancelled before', async () => {
    const engines = fakeEngines(['works']);
    await expect(restartWith(engines, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(engines.started).toHaveLength(1);
    engines.started[0]?.[Symbol.dispose]();
  });

  it('calls an engine that talks nonsense a bug', async () => {
    await expect(restartWith(fakeEngines(['talks nonsense']))).rejects.toThrow(/does not know/);
    await expect(restartWith(fakeEngines(['talks no JSON']))).rejects.toThrow(/no JSON: hello/);
  });
});

describe('an engine that dies without an answer', () => {
  it('is followed by one that mends; the old program runs on', async () => {
    const result = await restartWith(fakeEngines(['dies in the hold', 'finds the old']));
    expect(result).toMatchObject({
      outcome: 'unchanged',
      before: restartResult.before,
      after: null,
      error: {
        code: 'engine-killed',
        message:
          'The engine of hotexec was killed by SIGKILL. Another one has put back what it had begun; the program runs on, unchanged.',
      },
    });
  });

  it('may have been past the point of no return: the mender finishes the restart', async () => {
    const result = await restartWith(fakeEngines(['dies in the hold', 'finds the new']));
    expect(result).toMatchObject({ outcome: 'restarted', before: restartResult.before, error: null });
    expect(result.after?.exe).toBe(process.execPath);
    expect(result.timingsMs.hold).toBeGreaterThan(0);
    expect(result.warnings).toHaveLength(1);
  });

  it('had done all but say so: the restart counts', async () => {
    const result = await restartWith(fakeEngines(['dies after all is done', 'finds nothing']));
    expect(result.outcome).toBe('restarted');
  });

  it('had begun nothing: the program is unchanged', async () => {
    const result = await restartWith(fakeEngines(['dies at once', 'finds nothing']));
    expect(result).toMatchObject({ outcome: 'unchanged', error: { code: 'engine-killed' } });
    expect(result.before.exe).toBe(process.execPath);
  });

  it('may have been rolling back: the mender goes on with it', async () => {
    const result = await restartWith(fakeEngines(['dies after the new one failed', 'finds the previous']));
    expect(result).toMatchObject({
      outcome: 'rolled-back',
      failed: { signal: 'SIGSEGV', afterMs: 12 },
      probation: { end: 'failed', ms: 12 },
      error: {
        code: 'new-program-failed',
        message:
          'The engine of hotexec was killed by SIGKILL. Another one has finished its work: the new program was ended by SIGSEGV, 12 ms after its start, and the previous one runs again (the exec was made again).',
      },
    });
  });

  it('may leave a process that has ended', async () => {
    const result = await restartWith(fakeEngines(['dies in the hold', 'finds it gone']));
    expect(result).toMatchObject({ outcome: 'lost', after: null, error: { code: 'target-lost' } });
  });

  it('is mended by the third when the second dies too and another hotexec is in the way', async () => {
    const result = await restartWith(fakeEngines(['dies in the hold', 'dies at once', 'is busy', 'finds the old']));
    expect(result.outcome).toBe('unchanged');
  });

  it('leaves the outcome unknown after three menders in vain', async () => {
    const engines = fakeEngines(['dies in the hold', 'dies at once', 'dies at once', 'dies at once']);
    await expect(restartWith(engines)).rejects.toMatchObject({ code: 'outcome-unknown', exitCode: 6 });
  });

  it('brings its last words along when it crashes', async () => {
    const result = await restartWith(fakeEngines(['crashes', 'finds the old']));
    expect(result.error?.code).toBe('bug');
    expect(result.error?.message).toContain('It wrote:\nTypeError: nothing is as it should be');
  });

  it('is a plain bug when no engine can start here', async () => {
    const error = await restartWith(fakeEngines(['crashes', 'crashes', 'crashes', 'crashes'])).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(HotexecError);
    expect(error).toMatchObject({ code: 'bug', exitCode: 70 });
  });

  it('is killed when it does not answer in time', async () => {
    const engine = fakeEngines(['never answers']).start();
    const reply = await engine.ask(request, { answerWithinMs: 300 });
    expect(reply).toMatchObject({ kind: 'died', signal: 'SIGKILL' });
  });
});

describe('the longest wait for an answer', () => {
  it.each([
    ['by default', {}, 30_000 + 10_000 + 30_000 + 10_000 + 40_000],
    ['without probation, where the binds are waited for', { probationMs: 0 }, 30_000 + 10_000 + 30_000 + 10_000],
    ['without anything that is watched', { probationMs: 0, handover: false, drain: false }, 60_000],
    ['with a long probation', { probationMs: 600_000, timeoutMs: 1000 }, 1000 + 10_000 + 630_000 + 630_000],
    ['without a rollback', { rollback: false }, 80_000],
    ['with a long grace period', { gracePeriodMs: 3_600_000, rollback: false }, 3_670_000],
  ])('%s', (_, options, expected) => {
    expect(longestMs({ target: targetProcess, options: { ...defaultRestartOptions, ...options } })).toBe(expected);
  });

  it('includes the stop timeout of the container, and is never more than a timer can count', () => {
    expect(waitingFor(60) - waitingFor(10)).toBe(50_000);
    expect(waitingFor(1e9)).toBeLessThan(2 ** 31);
  });
});

function waitingFor(stopTimeoutSeconds: number): number {
  const spec = targetProcess.spec === null ? null : { ...targetProcess.spec, stopTimeoutSeconds };
  return longestMs({ target: { ...targetProcess, spec }, options: defaultRestartOptions });
}

describe('questions that touch nothing', () => {
  it('are answered with every field', async () => {
    const ask = fakeEngines(['works', 'works']);
    const inspect = { kind: 'inspect', operationId, target: targetProcess, showEnvironment: false } as const;
    expect(await askInspection(inspect, { engine: ask.start(), startEngine: ask.start })).toEqual(inspection);
    expect(await askPlan({ ...request, kind: 'plan' }, { engine: ask.start(), startEngine: ask.start })).toEqual(plan);
  });

  it('are not mended when the engine is killed', async () => {
    const ask = fakeEngines(['dies at once']);
    const asking = askPlan({ ...request, kind: 'plan' }, { engine: ask.start(), startEngine: ask.start });
    await expect(asking).rejects.toMatchObject({
      code: 'engine-killed',
      message: 'The engine of hotexec was killed by SIGKILL. Nothing was touched.',
    });
  });
});
