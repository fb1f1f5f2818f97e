import { describe, expect, test } from 'vitest';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';
import { restart } from '../support/docker/hotexec.ts';
import { differencesFromFresh, expectRestartInPlace } from '../support/docker/in-place.ts';
import { startTicks } from '../support/docker/proc.ts';
import { answers, start } from '../support/docker/program.ts';
import { programs } from '../support/docker/programs/all.ts';

const times = often(50, 3);

describe.concurrent.each(programs)('$name as pid 1 of a container', (program) => {
  needs('root', 'docker', ...program.needs);

  test('starts anew in the same process, container and log stream, and keeps nothing of its former run', async () => {
    await using container = await start(program);
    const { notFresh } = await expectRestartInPlace(program, container);
    expect(await differencesFromFresh(program, container, { flags: [], notFresh })).toEqual([]);
  });

  test(`comes back ${times} times in a row and is still like a fresh one`, { timeout: 300_000 }, async () => {
    await using container = await start(program);
    const before = { record: await container.record(), startTicks: await startTicks(container.pid) };
    const runs = new Set([await answers(program, container)]);
    const notFresh = [];
    for (let done = 0; done < times; done++) {
      notFresh.push(...(await restart(container.target)).notFresh);
      runs.add(await answers(program, container));
    }
    expect(runs.size).toBe(times + 1);
    expect({ record: await container.record(), startTicks: await startTicks(container.pid) }).toEqual(before);
    expect(await differencesFromFresh(program, container, { flags: [], notFresh })).toEqual([]);
  });
});
