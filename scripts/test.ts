// node scripts/test.ts [--cluster] [VITEST-ARG...]: sets the machine up, builds, runs the tests: unit, kernel, containers, and
// cluster where Kubernetes is there; --cluster builds it first (10 minutes, once a machine) and runs the tests in it alone.
// The last line is always "N passed, N failed, N skipped".
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { missingParts } from '../tests/support/cluster/machine/parts.ts';
import type { Summary } from '../tests/support/reporter.ts';

const root = join(import.meta.dirname, '..');
const setup = join(root, 'scripts/setup-machine.sh');
const isForCluster = process.argv[2] === '--cluster';
const words = process.argv.slice(isForCluster ? 3 : 2);

// Ctrl-C reaches the children too; the clean-up below must still run.
process.on('SIGINT', () => {});
run(setup, ['start', String(process.pid)]);
if (isForCluster) run(setup, ['cluster']);
const summary = test();
run(setup, ['stop', String(process.pid)]);
const leftOut = whatIsLeftOut();
if (leftOut !== null) console.log(leftOut);
console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
process.exitCode = summary.failed === 0 ? 0 : 1;

function test(): Summary {
  if (run(process.execPath, [join(root, 'scripts/build.ts')]) !== 0) return { passed: 0, failed: 1, skipped: 0 };
  const directory = mkdtempSync(join(tmpdir(), 'hotexec-test-'));
  try {
    return vitest(join(directory, 'summary.json'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function vitest(summaryFile: string): Summary {
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...projects(), ...words];
  // What tests start is not to be remembered on this machine.
  const state = { HOTEXEC_STATE_DIR: join(dirname(summaryFile), 'state') };
  const env = { ...process.env, ...state, HOTEXEC_TEST_SUMMARY: summaryFile };
  const status = run(process.execPath, args, env);
  const { passed, failed, skipped } = readSummary(summaryFile);
  // An error outside every test, or a run that broke off, is a failure although no test failed.
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1), skipped };
}

function projects(): string[] {
  if (isForCluster) return ['--project', 'cluster'];
  return whatIsLeftOut() === null ? [] : ['--project', '!cluster'];
}

// On CI all of it must be there, and tests that miss it fail.
function whatIsLeftOut(): string | null {
  const [missing] = missingParts();
  if (missing === undefined || isForCluster || process.env['CI'] === 'true') return null;
  return `Without the tests in a real Kubernetes (${missing}): npm run test:cluster gets it and runs them.`;
}

function readSummary(file: string): Summary {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number | null {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status;
}
