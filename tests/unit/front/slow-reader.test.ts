// A front that is slower than its engine: on a busy machine, or where the rest of its code comes over a network.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { askRestart } from '../../../src/front/restart.ts';
import { defaultRestartOptions, sameProgram } from '../../../src/protocol/request.ts';
import { fakeEngines } from '../../support/fake-engines.ts';
import { restartResult, targetProcess } from '../../support/samples.ts';
import { until } from '../../support/until.ts';

const engines = fakeEngines(['works']);

vi.mock('../../../src/front/engine-line.ts', async (original) => {
  const pid = engines.started[0]?.pid;
  await until('the engine has ended', () => !existsSync(`/proc/${pid}`));
  // Longer than its output is waited for after its end.
  await delay(500);
  return await original();
});

it('finds the answer of an engine that has ended before there was anybody to read it', async () => {
  const target = { ...targetProcess, pid: process.pid };
  const { operationId } = restartResult;
  const request = {
    kind: 'restart',
    operationId,
    target,
    program: sameProgram,
    options: defaultRestartOptions,
  } as const;
  expect(await askRestart(request, { engine: engines.start(), startEngine: engines.start })).toEqual(restartResult);
});
