// node scripts/check.ts: format, lint, types, unused code, package. All of them run; one failure fails the whole.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const checks: readonly (readonly string[])[] = [
  ['oxfmt', '--check'],
  ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  ['tsc', '--noEmit', '-p', 'tsconfig.json'],
  ['knip', '--no-progress'],
];

const failed = checks.filter(([tool = '', ...args]) => {
  console.log(`${tool} ...`);
  return spawnSync(join(root, 'node_modules/.bin', tool), args, { cwd: root, stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) {
  console.error(`failed: ${failed.map(([tool]) => tool).join(', ')}`);
  process.exit(1);
}
