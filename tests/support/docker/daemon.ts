// A Docker daemon for the tests where none answers (scripts/setup-machine.sh usually has started one): on a socket,
// data directory and bridge of its own, without a firewall rule, so that it disturbs no other daemon of the machine.
// `--bridge none` would not do: it deletes docker0, whoever owns it.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../until.ts';
import { containerLabel } from './container.ts';
import { docker, dockerAnswers } from './docker.ts';

const execute = promisify(execFile);

// Kept after the end: the next run finds its images there.
const directory = join(tmpdir(), 'hotexec-test-docker');
const dockerd = '/usr/sbin/dockerd';
const socket = `unix://${join(directory, 'docker.sock')}`;
const bridge = { name: 'hotexec-test0', address: '10.213.97.1/24' };

/** Makes `docker` work in this process and its children, if that is possible here. */
export async function provideDaemon(): Promise<AsyncDisposable> {
  if (await dockerAnswers()) return leaveRunning();
  process.env['DOCKER_HOST'] = socket;
  if (await dockerAnswers()) return leaveRunning();
  if (process.getuid?.() !== 0 || !existsSync(dockerd)) {
    delete process.env['DOCKER_HOST'];
    return leaveRunning();
  }
  return await startDaemon();
}

/** Those of this run, and of runs that were killed; another that is under way keeps its own. */
export async function removeLeftContainers(): Promise<void> {
  const format = `{{.ID}} {{.Label "${containerLabel}"}}`;
  const listed = await docker('ps', '--all', '--filter', `label=${containerLabel}`, '--format', format);
  const left = listed.split('\n').filter((line) => isLeft(line.split(' ')[1] ?? ''));
  const ids = left.flatMap((line) => line.split(' ')[0] ?? []);
  if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids);
}

function isLeft(run: string): boolean {
  return run === String(process.pid) || (run !== '' && !existsSync(`/proc/${run}`));
}

function leaveRunning(): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => {} };
}

async function startDaemon(): Promise<AsyncDisposable> {
  await mkdir(directory, { recursive: true });
  await makeBridge();
  const daemon = spawnDaemon();
  const stop = async (): Promise<void> => {
    await stopDaemon(daemon);
    await execute('ip', ['link', 'delete', bridge.name]);
  };
  try {
    await until(`dockerd answers; see ${directory}/log`, async () => ended(daemon) || (await dockerAnswers()), 60_000);
    if (ended(daemon)) throw new Error(`dockerd did not start; see ${directory}/log`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}

async function makeBridge(): Promise<void> {
  if (existsSync(`/sys/class/net/${bridge.name}`)) return;
  await execute('ip', ['link', 'add', 'name', bridge.name, 'type', 'bridge']);
  await execute('ip', ['address', 'add', bridge.address, 'dev', bridge.name]);
  await execute('ip', ['link', 'set', bridge.name, 'up']);
}

// In a session of its own: Ctrl-C must not end it before its containers are removed.
function spawnDaemon(): ChildProcess {
  const log = openSync(join(directory, 'log'), 'w');
  const network = ['--bridge', bridge.name, '--iptables=false', '--ip6tables=false', '--ip-masq=false'];
  const places = [
    '--data-root',
    `${directory}/data`,
    '--exec-root',
    `${directory}/exec`,
    '--pidfile',
    `${directory}/pid`,
  ];
  const args = [...places, '--host', socket, ...network, '--ip-forward=false', '--userland-proxy=false'];
  const daemon = spawn(dockerd, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  return daemon;
}

async function stopDaemon(daemon: ChildProcess): Promise<void> {
  daemon.kill('SIGTERM');
  await until('dockerd ends', () => ended(daemon), 30_000);
}

function ended(daemon: ChildProcess): boolean {
  return daemon.exitCode !== null || daemon.signalCode !== null;
}
