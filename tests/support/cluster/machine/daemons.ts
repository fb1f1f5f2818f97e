// A daemon of the cluster: started in a session of its own, known by its pid file, its log beside that.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../until.ts';
import { runDirectory } from './places.ts';

export interface Daemon {
  readonly name: string;
  /** Its path. */
  readonly program: string;
  readonly args: readonly string[];
}

export async function start(daemon: Daemon): Promise<void> {
  await using log = await open(logOf(daemon), 'a');
  const child = spawn(daemon.program, daemon.args, {
    cwd: '/',
    // Nothing else: no proxy, no kubeconfig of whoever runs the tests.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  child.unref();
  child.on('error', () => {});
  if (child.pid === undefined) throw new Error(`${daemon.program} could not be started`);
  await writeFile(pidFileOf(daemon), `${child.pid} ${startOf(child.pid)}`);
}

/** SIGTERM, and SIGKILL when that is not answered in time. */
export async function stop(daemon: Daemon, graceMs = 10_000): Promise<void> {
  const pid = pidOf(daemon);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    await until(`${daemon.name} ends`, () => pidOf(daemon) === undefined, graceMs).catch(async () => {
      process.kill(pid, 'SIGKILL');
      await until(`${daemon.name} is killed`, () => pidOf(daemon) === undefined);
    });
  }
  await rm(pidFileOf(daemon), { force: true });
}

/** Of the running daemon. A pid that somebody else has got since is not its. */
export function pidOf(daemon: Daemon): number | undefined {
  try {
    const [pid = '', startTicks] = readFileSync(pidFileOf(daemon), 'utf8').split(' ');
    return startOf(Number(pid)) === startTicks ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

// In ticks since this machine's; a zombie counts as none.
function startOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Waits until it answers; what it logged last is told when it ends before, or does not answer. */
export async function answers(daemon: Daemon, probe: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const isThere = async (): Promise<boolean> => pidOf(daemon) === undefined || (await probe());
  await until(`${daemon.name} answers`, isThere, { timeoutMs, pauseMs: 50 }).catch(async (cause: unknown) => {
    throw new Error(`${daemon.name} does not answer\n${await endOfLog(daemon)}`, { cause });
  });
  if (pidOf(daemon) === undefined) throw new Error(`${daemon.name} has ended\n${await endOfLog(daemon)}`);
}

async function endOfLog(daemon: Daemon): Promise<string> {
  const lines = (await readFile(logOf(daemon), 'utf8')).trimEnd().split('\n');
  return [`the end of ${logOf(daemon)}:`, ...lines.slice(-10)].join('\n');
}

function logOf({ name }: Daemon): string {
  return join(runDirectory, `${name}.log`);
}

function pidFileOf({ name }: Daemon): string {
  return join(runDirectory, `${name}.pid`);
}
