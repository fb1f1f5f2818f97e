// What a container and hotexec occupy on this machine: compared before and after many restarts, nothing may have grown.
import { readdir, readFile } from 'node:fs/promises';
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
  /** Processes that have this runtime directory in their environment: those of hotexec that the soak has started. */
  readonly hotexecProcesses: number;
  readonly journalFiles: number;
}

export async function footprintOf(container: Container, runtimeDirectory: string): Promise<Footprint> {
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
    hotexecProcesses: await countHotexec(runtimeDirectory),
    journalFiles: (await readdir(runtimeDirectory, { recursive: true })).length,
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

async function countHotexec(runtimeDirectory: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const environments = pids.map(async (pid) => await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''));
  return (await Promise.all(environments)).filter((environment) => environment.includes(runtimeDirectory)).length;
}
