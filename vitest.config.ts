// Three projects, one after the other: unit (parallel), kernel and containers (one file at a time).
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import SummaryReporter from './tests/support/reporter.ts';

// scripts/setup-machine.sh puts there what no package of the system has.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
const env = { PATH: `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}` };

const shared = { pool: 'forks', env, restoreMocks: true } as const;

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
          name: 'containers',
          include: ['tests/containers/**/*.test.ts'],
          globalSetup: ['tests/containers/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

export default config;
