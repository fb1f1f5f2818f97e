// A few restarts of each program under load; npm run soak:drain is the same with 50,000 requests and 20 restarts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { gracefulNginx, gracefulNode, gracefulPrograms } from '../support/docker/graceful.ts';
import { fortioLoad, wrkLoad } from '../support/docker/load-tools.ts';
import { start } from '../support/docker/program.ts';
import { drainedRestart, noticed, restartUnderLoad } from '../support/docker/under-load.ts';
import { needs } from '../support/needs.ts';
import { often } from '../support/often.ts';

const restarts = often(3, 1);
const directory = mkdtempSync(join(tmpdir(), 'hotexec-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const connected = [
  { connections: 'a new connection for every request', keepAlive: false },
  { connections: 'connections that are kept', keepAlive: true },
];

describe.each(gracefulPrograms(directory))('clients of $name', (program) => {
  needs('root', 'docker', ...program.needs);

  test.each(often(connected, connected.slice(1)))(
    'are not refused during its restarts, over $connections',
    async ({ keepAlive }) => {
      const report = await restartUnderLoad(program, { requests: restarts * 300, restarts, keepAlive });
      expect(noticed(program, report)).toEqual([]);
      expect(report.listeners.length).toBeGreaterThanOrEqual(restarts);
      // What it had not answered when it ended: at most what its clients had asked for just then.
      expect(report.notReused + report.reset + report.cut).toBeLessThanOrEqual(restarts * 16);
    },
  );
});

describe('a restart by the runtime', () => {
  needs('root', 'docker');

  test('is noticed, by the same clients', async () => {
    const report = await restartUnderLoad(gracefulNode, { requests: 300, restarts: 1, keepAlive: false, by: 'docker' });
    expect(report.refused + report.reset + report.silent).toBeGreaterThan(0);
  });
});

describe.each([gracefulNode, gracefulNginx])('the load tools of others against $name', (program) => {
  needs('root', 'docker', { command: 'fortio' }, { command: 'wrk' }, ...program.needs);

  test.each([true, false])('fortio sees no error, keep-alive: %s', async (keepAlive) => {
    await using container = await start(program, program.flags);
    const load = fortioLoad(`http://${container.address}:8080/`, { seconds: often(4, 2), keepAlive });
    for (let done = 0; done < 2; done++) await drainedRestart(container);
    const { answered, failed } = await load;
    expect({ failed }).toEqual({ failed: 0 });
    expect(answered).toBeGreaterThan(100);
  });

  test('wrk is refused nowhere, and waits for nothing in vain', async () => {
    await using container = await start(program, program.flags);
    const load = wrkLoad(`http://${container.address}:8080/`, { seconds: often(4, 2) });
    for (let done = 0; done < 2; done++) await drainedRestart(container);
    const { answered, connect, timeout, read } = await load;
    expect({ connect, timeout }).toEqual({ connect: 0, timeout: 0 });
    // Kept connections that the program closes with a request just on its way; and those that reached it once more before its end.
    expect(read).toBeLessThanOrEqual(2 * 2 * 8);
    expect(answered).toBeGreaterThan(100);
  });
});
