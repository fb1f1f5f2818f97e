// Projects, one after the other: unit (parallel), kernel (one file at a time), containers, those of them that are best alone, cluster.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { isThorough } from './tests/support/often.ts';
import SummaryReporter from './tests/support/reporter.ts';

// scripts/setup-machine.sh puts there what no package of the system has.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
const env = { PATH: `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}` };

// They put a load on containers, or look at all of hotexec on this machine.
const alone = ['beside', 'comparison', 'hand-over', 'nobody-notices', 'protocols', 'soak'].map(
  (name) => `tests/containers/${name}.test.ts`,
);

const shared = { pool: 'forks', env, restoreMocks: true } as const;

const withContainers = {
  globalSetup: ['tests/containers/global-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    passWithNoTests: true,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          maxWorkers: '100%',
          // Where somebody waits, what they have in common is not loaded anew for each file: that takes as long as the tests.
          isolate: isThorough,
          // A property test takes its time on a machine that is busy otherwise.
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'kernel',
          include: ['tests/kernel/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          ...withContainers,
          name: 'containers',
          include: ['tests/containers/**/*.test.ts'],
          exclude: alone,
          maxWorkers: isThorough ? 1 : 2,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...shared,
          ...withContainers,
          name: 'containers alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          ...shared,
          name: 'cluster',
          include: ['tests/cluster/**/*.test.ts'],
          globalSetup: ['tests/cluster/global-setup.ts'],
          setupFiles: ['tests/cluster/setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});

export default config;
