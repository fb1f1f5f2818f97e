// What a plan says of a restart by gdb.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { driverRefusals } from '../../../src/engine/driver-limits.ts';
import { kernelVersion } from '../../../src/engine/kernel-version.ts';
import { planRestart, type RestartPlan } from '../../../src/engine/plan.ts';
import { defaultRestartOptions, type RestartOptions } from '../../../src/protocol/request.ts';
import { tempDirectory } from '../../support/temp.ts';
import { change, observedProcess, type Differences } from './observed.ts';

const byGdb: RestartOptions = { ...defaultRestartOptions, driver: 'gdb', drain: false };

function withGdb(): string {
  const directory = tempDirectory();
  writeFileSync(join(directory, 'gdb'), '', { mode: 0o755 });
  return `relative:/nonexistent:${directory}`;
}

function plan(differences: Differences, options: RestartOptions): RestartPlan {
  const world = { kernel: kernelVersion('6.1.0'), freeMemoryBytes: 2 ** 30, path: withGdb() };
  const program = { exe: process.execPath, execPath: process.execPath };
  return planRestart(
    observedProcess({ tid: process.pid, program, ...differences }),
    { program: change(), options },
    world,
  );
}

function codes(differences: Differences, options: Partial<RestartOptions> = {}, path = withGdb()): readonly string[] {
  return driverRefusals(observedProcess(differences), { ...byGdb, ...options }, path).map(({ code }) => code);
}

describe('a restart by gdb', () => {
  it('is possible for a process with its main thread', () => {
    expect(codes({})).toEqual([]);
  });

  it('needs a gdb on PATH', () => {
    const directory = tempDirectory();
    expect(codes({}, {}, directory)).toEqual(['gdb-missing']);
    mkdirSync(join(directory, 'gdb'));
    expect(codes({}, {}, directory)).toEqual(['gdb-missing']);
    expect(driverRefusals(observedProcess({}), byGdb, undefined)).toHaveLength(1);
  });

  it.each<[string, Differences, Partial<RestartOptions>]>([
    ['that drains', {}, { drain: true }],
    ['of a process whose main thread has left', { tid: 4712 }, {}],
    ['of an init of the same pid namespace', { target: { pid: 1 }, tid: 1 }, {}],
  ])('%s is not', (_, differences, options) => {
    expect(codes(differences, options)).toEqual(['gdb-impossible']);
  });

  it('asks nothing of another driver', () => {
    expect(codes({ tid: 4712 }, { driver: 'ptrace', drain: true }, '')).toEqual([]);
  });

  it('is tried in no child, keeps no old memory, hands nothing over and watches nothing', () => {
    const { dryRun, holder, probation, previous, handOver } = plan(
      { target: { pid: process.pid }, tid: process.pid },
      byGdb,
    );
    expect({ dryRun, holder, probation, previous, served: handOver.served }).toEqual({
      dryRun: false,
      holder: false,
      probation: null,
      previous: null,
      served: [],
    });
  });
});
