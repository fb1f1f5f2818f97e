// npm run soak [-- N [PROGRAM]]: N restarts (2,000) of one container under load; fails when anything was lost or leaked.
// PROGRAM is a name of tests/support/docker/programs (fortio). `newcomer`: each one is a replacement, every second one by a bad version.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { provideDaemon } from '../tests/support/docker/daemon.ts';
import { programs } from '../tests/support/docker/programs/all.ts';
import { goodAndBad, newcomer } from '../tests/support/docker/programs/newcomer.ts';
import { soak, type SoakOptions, type SoakReport } from '../tests/support/docker/soak.ts';

const root = join(import.meta.dirname, '..');
const [count = '2000', name = 'fortio'] = process.argv.slice(2);
const soaked = [...programs, newcomer];
const program = soaked.find((known) => known.name === name);
const restarts = Number(count);
if (program === undefined || !Number.isInteger(restarts) || restarts < 1) {
  console.error(`usage: npm run soak [-- N [PROGRAM]]; programs: ${soaked.map((known) => known.name).join(', ')}`);
  process.exit(2);
}

// As vitest.config.ts does: scripts/setup-machine.sh puts fortio there.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
process.env['PATH'] = `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}`;
run(process.execPath, [join(root, 'scripts/build.ts'), '--fast']);
const report = await onThisMachine({
  program,
  restarts,
  ...(program === newcomer ? { change: goodAndBad } : {}),
  onRestart: showProgress,
});
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.failures.length === 0 ? 0 : 1;

async function onThisMachine(options: SoakOptions): Promise<SoakReport> {
  const setup = join(root, 'scripts/setup-machine.sh');
  run(setup, ['start', String(process.pid)]);
  try {
    await using _daemon = await provideDaemon();
    return await soak(options);
  } finally {
    run(setup, ['stop', String(process.pid)]);
  }
}

function showProgress(done: number, failures: readonly string[]): void {
  if (done % 100 === 0) console.error(`${done} of ${restarts} restarts, ${failures.length} failures`);
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
