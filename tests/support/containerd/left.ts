// What a test run that was killed has left: its containerd, the containers in it, and what is mounted for them.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { commandOf } from '../docker/proc.ts';
import { until } from '../until.ts';

const execute = promisify(execFile);

/** `PREFIX-PID-…`: PID is that of the run. */
export async function removeLeft(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const run = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    if (run !== undefined && !existsSync(`/proc/${run}`)) await remove(join(parent, name));
  }
}

async function remove(directory: string): Promise<void> {
  // containerd first, so that nobody starts or mounts anything any more; a shim has the socket of its containerd among its words.
  await killAll(directory, 'containerd');
  await deleteContainers(join(directory, 'state/io.containerd.runtime.v2.task'));
  await killAll(directory, 'containerd-shim-runc-v2');
  for (const mount of await mountsBelow(directory)) await execute('umount', ['--lazy', mount]);
  await rm(directory, { recursive: true, force: true });
}

/** runc's own record of them is where all containerds of a machine have it. */
async function deleteContainers(tasks: string): Promise<void> {
  for (const namespace of await namesIn(tasks)) {
    for (const id of await namesIn(join(tasks, namespace))) {
      // It may never have been made.
      await execute('runc', ['--root', recordOf(namespace), 'delete', '--force', id]).catch(() => {});
    }
    await removeRecord(namespace);
  }
}

/** Where nothing is in it any more. */
export async function removeRecord(namespace: string): Promise<void> {
  await rmdir(recordOf(namespace)).catch(() => {});
}

function recordOf(namespace: string): string {
  return join('/run/containerd/runc', namespace);
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

async function killAll(directory: string, program: string): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const words = await commandOf(Number(pid));
    if (basename(words[0] ?? '') !== program || !words.some((word) => word.startsWith(`${directory}/`))) continue;
    kill(Number(pid));
    await until(`process ${pid} is gone`, () => !existsSync(`/proc/${pid}`));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function mountsBelow(directory: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  return mounts.filter((mount) => mount.startsWith(`${directory}/`)).toReversed();
}
