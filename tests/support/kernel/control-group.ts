// A control group for one test.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { until } from '../until.ts';

export interface ControlGroup {
  readonly add: (pid: number) => void;
  readonly set: (name: string, value: string) => void;
  readonly get: (name: string) => string;
}

/** Skips the test where the machine has none: one of cgroup v2 alone has other names for all of it. */
export function needsControlGroup(context: TestContext, controller: string): void {
  if (!existsSync(`/sys/fs/cgroup/${controller}`)) context.skip(`this machine has no cgroup v1 ${controller}`);
}

/** Of cgroup v1; removed when the test is over and its processes have ended. */
export function controlGroup(controller: string, settings: Readonly<Record<string, string>>): ControlGroup {
  const directory = `/sys/fs/cgroup/${controller}/hotexec-test-${process.pid}`;
  mkdirSync(directory);
  onTestFinished(async () => {
    for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean)) {
      writeFileSync(`/sys/fs/cgroup/${controller}/cgroup.procs`, pid);
    }
    await until('the control group is empty', () => (rmdirSync(directory), true));
  });
  const path = (name: string): string => join(directory, name);
  const set = (name: string, value: string): void => writeFileSync(path(name), value);
  for (const [name, value] of Object.entries(settings)) set(name, value);
  return {
    set,
    get: (name) => readFileSync(path(name), 'latin1').trim(),
    add: (pid) => set('cgroup.procs', String(pid)),
  };
}
