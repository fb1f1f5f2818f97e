// npm run soak:drain [-- REQUESTS RESTARTS [PROGRAM...]]: restarts with drain and hand-over under a load of 50,000 requests, 20 restarts a
// program and kind of connection; beside it what `docker restart` loses. Fails when a client could have noticed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideDaemon } from '../tests/support/docker/daemon.ts';
import { gracefulPrograms, type GracefulProgram } from '../tests/support/docker/graceful.ts';
import { noticed, restartUnderLoad } from '../tests/support/docker/under-load.ts';

const root = join(import.meta.dirname, '..');
const [requests = '50000', restarts = '20', ...names] = process.argv.slice(2);
const counts = { requests: Number(requests), restarts: Number(restarts) };

// As vitest.config.ts does: scripts/setup-machine.sh puts fortio there.
const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
process.env['PATH'] = `${join(cache, 'hotexec-test/bin')}:${process.env['PATH'] ?? ''}`;
const directory = mkdtempSync(join(tmpdir(), 'hotexec-soak-'));
process.env['HOTEXEC_STATE_DIR'] = join(directory, 'state');
run(process.execPath, [join(root, 'scripts/build.ts'), '--fast']);
const setup = join(root, 'scripts/setup-machine.sh');
run(setup, ['start', String(process.pid)]);
try {
  await using _daemon = await provideDaemon();
  const chosen = gracefulPrograms(directory).filter(({ name }) => names.length === 0 || names.includes(name));
  for (const program of chosen) await prove(program);
} finally {
  run(setup, ['stop', String(process.pid)]);
  rmSync(directory, { recursive: true, force: true });
}

async function prove(program: GracefulProgram): Promise<void> {
  for (const keepAlive of [false, true]) {
    for (const by of ['hotexec', 'docker'] as const) {
      // Its own restart loses so much, and takes so long, that a tenth tells enough.
      const share = by === 'docker' ? 10 : 1;
      const load = { requests: counts.requests / share, restarts: Math.ceil(counts.restarts / share) };
      const startedMs = performance.now();
      const { drains, listeners, ...report } = await restartUnderLoad(program, { ...load, keepAlive, by });
      const failures = by === 'docker' ? [] : noticed(program, { drains, listeners, ...report });
      if (failures.length > 0) process.exitCode = 1;
      const line = {
        program: program.name,
        keepAlive,
        by,
        ...report,
        exitCodes: exitCodes(drains),
        drainMs: drains.map((d) => Math.round(d.ms)).join(),
        failures,
      };
      console.log(JSON.stringify({ ...line, seconds: Math.round((performance.now() - startedMs) / 1000) }));
    }
  }
}

function exitCodes(drains: readonly { readonly end: string; readonly exitCode: number | null }[]): string {
  return [...new Set(drains.map(({ end, exitCode }) => `${end} ${exitCode}`))].join(', ');
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
