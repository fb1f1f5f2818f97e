// What a container and hotexec occupy on this machine: compared before and after many restarts, nothing may have grown.
import { readdir, readFile } from 'node:fs/promises';
import { runtimeDirectory } from '../../../src/protocol/runtime-directory.ts';
import type { Container } from './container.ts';
import { descendantsOf, descriptorsOf, statusOf } from './proc.ts';

export interface Footprint {
  readonly descriptors: number;
  readonly threads: number;
  /** Descendants of pid 1, zombies among them. */
  readonly children: number;
  readonly zombies: number;
  /** Processes and threads that the container's cgroup counts. */
  readonly tasks: number;
  readonly mappings: number;
  /** Anonymous memory of the container's cgroup. */
  readonly anonymousBytes: number;
  /** Of the kernel for the cgroup, where it tells. */
  readonly kernelBytes: number;
  /** Processes of hotexec on this machine. */
  readonly hotexecProcesses: number;
  readonly journalFiles: number;
}

export async function footprintOf(container: Container): Promise<Footprint> {
  const { pid } = container;
  const descendants = await descendantsOf(pid);
  const states = await Promise.all(descendants.map(async (child) => (await statusOf(child)).get('State') ?? ''));
  return {
    descriptors: (await descriptorsOf(pid)).size,
    threads: (await readdir(`/proc/${pid}/task`)).length,
    children: descendants.length,
    zombies: states.filter((state) => state.startsWith('Z')).length,
    tasks: await tasksOf(pid),
    mappings: (await readFile(`/proc/${pid}/maps`, 'utf8')).trimEnd().split('\n').length,
    ...(await memoryOf(pid)),
    hotexecProcesses: await countHotexec(),
    journalFiles: (await readdir(runtimeDirectory(process.env, 0), { recursive: true }).catch(() => [])).length,
  };
}

async function tasksOf(pid: number): Promise<number> {
  return Number(await readFile(`${await cgroupDirectory(pid, 'pids')}/pids.current`, 'utf8'));
}

async function memoryOf(pid: number): Promise<Pick<Footprint, 'anonymousBytes' | 'kernelBytes'>> {
  const directory = await cgroupDirectory(pid, 'memory');
  const stat = await readFile(`${directory}/memory.stat`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  const usage = await readFile(`${directory}/memory.kmem.usage_in_bytes`, 'utf8').catch(() => '0');
  // The first of each is version 1, the second version 2.
  return {
    anonymousBytes: field('total_rss') + field('anon'),
    kernelBytes: Number(usage) + field('kernel'),
  };
}

// Version 1 has a hierarchy for each controller, version 2 one for all: the line `0::/path`.
async function cgroupDirectory(pid: number, controller: string): Promise<string> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':'));
  const own = lines.find(([, controllers]) => controllers?.split(',').includes(controller));
  if (own !== undefined) return `/sys/fs/cgroup/${controller}${own[2]}`;
  return `/sys/fs/cgroup${lines.find(([number]) => number === '0')?.[2]}`;
}

async function countHotexec(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.filter((command) => /\/dist\/(?:cli|engine)\.js\0/.test(command)).length;
}
