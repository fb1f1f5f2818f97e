// A containerd for the tests: on a socket and in directories of its own, so that it knows nothing of the one that a Docker daemon brings, and
// that one nothing of it. No network plugin is needed: everything runs in the network of this machine.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack, type ClusterImageRecipe } from '../cluster/archive.ts';
import { hostFile } from '../docker/rootfs.ts';
import { buildOf } from '../docker/programs/newcomer.ts';
import { until } from '../until.ts';
import { configuration, otherSnapshotters } from './configuration.ts';
import { removeLeft, removeRecord } from './left.ts';

const execute = promisify(execFile);

export interface Containerd extends AsyncDisposable {
  readonly socket: string;
  readonly directory: string;
  /** containerd's own command, in a namespace. Standard output without the last line break. */
  readonly ctr: (namespace: string, ...args: readonly string[]) => Promise<string>;
  /** The reference that the image has in that namespace. */
  readonly image: (namespace: string) => Promise<string>;
}

const prefix = 'hotexec-test-containerd';

/** CRI's namespace in containerd. */
export const criNamespace = 'k8s.io';

/** The server of every container here: it listens on PORT, and SIGUSR2 is the image's stop signal. */
async function serverImage(): Promise<ClusterImageRecipe> {
  const files = [await hostFile(buildOf(1), '/app/server')];
  return { name: 'server', files, entrypoint: ['/app/server'], config: { StopSignal: 'SIGUSR2' } };
}

/** Holds the namespaces of a pod, and sleeps. */
async function pauseImage(): Promise<ClusterImageRecipe> {
  return { name: 'pause', files: [await hostFile(buildOf(1), '/pause')], entrypoint: ['/pause', 'hang'] };
}

export async function startContainerd(): Promise<Containerd> {
  await removeLeft(tmpdir(), prefix);
  const directory = await mkdtemp(join(tmpdir(), `${prefix}-${process.pid}-`));
  const socket = join(directory, 'containerd.sock');
  await writeFile(
    join(directory, 'config.toml'),
    configuration({
      root: join(directory, 'root'),
      state: join(directory, 'state'),
      socket,
      sandboxImage: referenceOf('pause'),
      network: { programs: join(directory, 'no-cni'), configurations: join(directory, 'no-cni') },
      disabledPlugins: ['io.containerd.internal.v1.opt', ...otherSnapshotters],
    }),
  );
  const daemon = spawnDaemon(directory);
  const ctr = async (namespace: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await execute('ctr', ['--address', socket, '--namespace', namespace, ...args]);
    return stdout.trimEnd();
  };
  const images = new Map<string, Promise<string>>();
  const stop = async (): Promise<void> => {
    daemon.kill('SIGTERM');
    await until('containerd ends', () => ended(daemon), 30_000);
    await rm(directory, { recursive: true, force: true });
    for (const namespace of images.keys()) await removeRecord(namespace);
  };
  const isUp = async (): Promise<boolean> => ended(daemon) || (await ctr('default', 'version')) !== '';
  try {
    await until(`containerd answers; see ${directory}/log`, isUp, 60_000);
    if (ended(daemon)) throw new Error(await readFile(join(directory, 'log'), 'utf8'));
    await importImage(await pauseImage(), { directory, ctr, namespace: criNamespace });
  } catch (error) {
    await stop();
    throw error;
  }
  const imported = async (namespace: string): Promise<string> =>
    await importImage(await serverImage(), { directory, ctr, namespace });
  return {
    socket,
    directory,
    ctr,
    image: async (namespace) => {
      const known = images.get(namespace) ?? imported(namespace);
      images.set(namespace, known);
      return await known;
    },
    [Symbol.asyncDispose]: stop,
  };
}

interface Importing extends Pick<Containerd, 'directory' | 'ctr'> {
  readonly namespace: string;
}

async function importImage(recipe: ClusterImageRecipe, { directory, ctr, namespace }: Importing): Promise<string> {
  const reference = referenceOf(recipe.name);
  const file = join(directory, `${namespace}-${recipe.name}.tar`);
  await writeFile(file, (await pack(recipe)).as(reference));
  await ctr(namespace, 'images', 'import', file);
  await rm(file);
  return reference;
}

function referenceOf(name: string): string {
  return `localhost/hotexec-test/${name}:latest`;
}

// In a session of its own: Ctrl-C must not end it before its containers are removed.
function spawnDaemon(directory: string): ChildProcess {
  const log = openSync(join(directory, 'log'), 'w');
  const args = ['--config', join(directory, 'config.toml'), '--log-level', 'info'];
  const daemon = spawn('containerd', args, { stdio: ['ignore', log, log], detached: true });
  daemon.on('error', () => {});
  closeSync(log);
  return daemon;
}

function ended(daemon: ChildProcess): boolean {
  return daemon.pid === undefined || daemon.exitCode !== null || daemon.signalCode !== null;
}

/** Where a container's logs may go. */
export async function logDirectory({ directory }: Containerd): Promise<string> {
  const path = join(directory, 'logs');
  await mkdir(path, { recursive: true });
  return path;
}
