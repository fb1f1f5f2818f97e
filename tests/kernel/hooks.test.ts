// Lifecycle hooks as the engine waits for them, run by whoever asked; here that is the test. On a cluster they are commands of pods.
import { randomUUID } from 'node:crypto';
import { env, execPath } from 'node:process';
import { describe, expect, test } from 'vitest';
import { startEngine } from '../../src/front/launch.ts';
import { LocalFront } from '../../src/front/local-front.ts';
import type { DueHook, HookEnd } from '../../src/protocol/hook.ts';
import { defaultRestartOptions, sameProgram } from '../../src/protocol/request.ts';
import type { RestartResult } from '../../src/protocol/result.ts';
import { expectLetGo, startIn, told } from '../support/kernel/drained.ts';
import { startTicks } from '../support/kernel/in-place.ts';
import type { Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';

const succeeded: HookEnd = { end: 'succeeded', exitCode: 0, why: null };

/** `runHook` is given the engine's pid. */
async function restart(
  target: Target,
  runHook: (due: DueHook, enginePid: number) => Promise<HookEnd>,
): Promise<RestartResult> {
  const engines: (number | undefined)[] = [];
  const start = (): ReturnType<typeof startEngine> => {
    const engine = startEngine({ execPath, env });
    engines.push(engine.pid);
    return engine;
  };
  const process = { name: 'pid/1', pid: target.pid, startTicks: startTicks(target.pid), container: null, spec: null };
  using front = new LocalFront(process, start);
  const hooks = { preStop: { kind: 'exec' }, postStart: { kind: 'exec' } } as const;
  const options = { ...defaultRestartOptions, runHooks: true, hooks, gracePeriodMs: 20_000 };
  return await front.restart(
    { operationId: randomUUID(), program: sameProgram, options },
    {
      signal: new AbortController().signal,
      onEvent: () => {},
      runHook: async (due) => runHook(due, engines[0] ?? 0),
    },
  );
}

describe('with hooks', () => {
  needs('root', { command: 'gcc' });

  test('a program is signalled when its preStop hook has ended, and started when its postStart hook has', async () => {
    const target = await startIn('a process', told('handler', 'exit', 7));
    const asked: string[] = [];
    const result = await restart(target, async ({ hook }) => {
      asked.push(hook);
      // It is only there when the old one has been told to finish.
      if (hook === 'postStart') await target.line(/^started/);
      return succeeded;
    });
    expect(result).toMatchObject({ outcome: 'restarted', drain: { signal: 'SIGTERM', exitCode: 7 } });
    expect(result.hooks.map(({ hook, program, end }) => [hook, program, end])).toEqual([
      ['preStop', 'old', 'succeeded'],
      ['postStart', 'new', 'succeeded'],
    ]);
    expect(asked).toEqual(['preStop', 'postStart']);
    expectLetGo(target.pid);
  });

  test('an engine that is killed while preStop runs is followed by one that signals the program, and no hook is lost silently', async () => {
    const target = await startIn('a process', told('handler', 'exit', 7));
    const result = await restart(target, async (_due, enginePid) => {
      process.kill(enginePid, 'SIGKILL');
      return Promise.withResolvers<HookEnd>().promise;
    });
    expect(result.outcome).toBe('restarted');
    expect(result.hooks).toMatchObject([
      { hook: 'preStop', program: 'old', end: 'unknown' },
      { hook: 'postStart', program: 'new', end: 'not-run' },
    ]);
    expect(result.warnings).toEqual(
      expect.arrayContaining([
        'the preStop hook (exec) had been begun when the engine was killed: its end was not waited for',
        'the postStart hook (exec) was not run: the engine had been killed',
      ]),
    );
    // Told, and not replaced by force at the end of its grace period.
    expect(result.timingsMs.total).toBeLessThan(15_000);
    await target.line(/^started/);
    expectLetGo(target.pid);
  });
});
