// The cluster's own containerd, which knows nothing of the one that a Docker daemon uses; and how nothing is left of it.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configuration, otherSnapshotters } from '../../containerd/configuration.ts';
import { until } from '../../until.ts';
import type { Daemon } from './daemons.ts';
import { networkConfigDirectory } from './network.ts';
import { dataDirectory, runDirectory, runtimeSocket, sandboxImage } from './places.ts';

const execute = promisify(execFile);
const configFile = join(runDirectory, 'containerd.toml');
const stateDirectory = join(runDirectory, 'containerd');

export const containerd: Daemon = {
  name: 'containerd',
  program: '/usr/bin/containerd',
  args: ['--config', configFile, '--log-level', 'warn'],
};

const config = configuration({
  root: `${dataDirectory}/containerd`,
  state: stateDirectory,
  socket: runtimeSocket,
  sandboxImage,
  network: { programs: '/usr/lib/cni', configurations: networkConfigDirectory },
  disabledPlugins: otherSnapshotters,
});

export async function writeRuntimeConfig(): Promise<void> {
  await mkdir(stateDirectory, { recursive: true });
  await writeFile(configFile, config);
}

/** containerd's own command, in the namespace of Kubernetes. Standard output. */
export async function ctr(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute('ctr', ['--address', runtimeSocket, '--namespace', 'k8s.io', ...args]);
  return stdout;
}

export async function runtimeAnswers(): Promise<boolean> {
  return await ctr('version').then(
    () => true,
    () => false,
  );
}

/** Every container's processes and their shims. containerd may be dead already. */
export async function killContainers(): Promise<void> {
  const left = await leftByShims();
  const patience = { timeoutMs: 30_000, pauseMs: 50 };
  await until('the processes in containers are gone', () => killAll(podProcesses()), patience);
  await until('the shims are gone', async () => killAll(await shims()), patience);
  await Promise.all(left.map(async (path) => await rm(path, { recursive: true, force: true })));
  for (const hierarchy of controlGroups()) await until(`${hierarchy} is removed`, () => removeTree(hierarchy));
}

function killAll(pids: readonly number[]): boolean {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  return pids.length === 0;
}

// The kubelet's tree of control groups, once in each hierarchy of cgroup v1 and in that of v2.
function controlGroups(): string[] {
  const root = '/sys/fs/cgroup';
  const candidates = [root, ...readdirSync(root).map((name) => join(root, name))].map((path) => join(path, 'kubepods'));
  return candidates.filter((path) => existsSync(path));
}

function podProcesses(): number[] {
  const pids = controlGroups().flatMap((hierarchy) => descendants(hierarchy).flatMap(processesOf));
  return [...new Set(pids)];
}

// A process of another pid namespace is 0 there: it is nobody's to kill.
function processesOf(controlGroup: string): number[] {
  try {
    return readFileSync(join(controlGroup, 'cgroup.procs'), 'utf8').split('\n').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

// Children first.
function descendants(directory: string): string[] {
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...below.flatMap((entry) => descendants(join(directory, entry.name))), directory];
  } catch {
    return [];
  }
}

function removeTree(directory: string): boolean {
  for (const path of descendants(directory)) rmdirSync(path);
  return true;
}

// A shim is told the socket of its containerd.
async function shims(): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Boolean);
  const commands = await Promise.all(
    pids.map(async (pid) => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
  return commands.filter(({ command }) => isOurShim(command)).map(({ pid }) => pid);
}

function isOurShim(command: string): boolean {
  return command.split('\0')[0]?.includes('containerd-shim') === true && command.includes(`\0${runtimeSocket}\0`);
}

// Their sockets, and what runc remembers of each container: both in directories that all containerds share.
async function leftByShims(): Promise<string[]> {
  const tasks = join(stateDirectory, 'io.containerd.runtime.v2.task/k8s.io');
  const ids = await readdir(tasks).catch(() => []);
  const addresses = ids.map(async (id) => await readFile(join(tasks, id, 'address'), 'utf8').catch(() => ''));
  const sockets = (await Promise.all(addresses)).filter((address) => address.startsWith('unix://'));
  return [...sockets.map((address) => address.slice(7)), ...ids.map((id) => join('/run/containerd/runc/k8s.io', id))];
}
