// Who a process is: its start time, the container it lives in, and, if it is the container's first process, what the
// runtime started it with.
import { basename } from 'node:path';
import { containerIdIn, parseCgroup } from '../procfs/cgroup.ts';
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { parseStatus } from '../procfs/status.ts';
import type { ProgramSpec } from '../protocol/request.ts';
import { readBundle, type Bundle } from './bundle.ts';
import { shimOf, type Shim } from './shim.ts';

export interface Identity {
  readonly startTicks: number;
  readonly container: { readonly id: string; readonly runtime: string } | null;
  readonly spec: ProgramSpec | null;
}

/**
 * `expectedId`: of a container whose id is no 64 digits; it is believed where the shim's directory bears that name.
 * Null: there is no such process.
 */
export function identify(pid: number, proc: string, expectedId?: string): Identity | null {
  const stat = readText(`${proc}/${pid}/stat`);
  if (stat.kind !== 'read') return null;
  const { startTicks, ppid } = parseStat(stat.content);
  const paths = cgroupPaths(pid, proc);
  const shim = shimOf(ppid, proc);
  const named = basename(shim?.cwd ?? '') === expectedId ? expectedId : undefined;
  const knownId = containerIdIn(paths) ?? named;
  const bundle = shim === null ? null : readBundle({ pid, proc, shim, id: knownId, isInit: isInit(pid, proc) });
  const id = containerIdIn(paths) ?? bundle?.id;
  const container = id === undefined ? null : { id, runtime: runtimeOf(paths, shim, bundle) };
  return { startTicks, container, spec: bundle?.spec ?? null };
}

function cgroupPaths(pid: number, proc: string): readonly string[] {
  const text = readText(`${proc}/${pid}/cgroup`);
  return text.kind === 'read' ? parseCgroup(text.content).map(({ path }) => path) : [];
}

/** First of an inner pid namespace; the first process of a container need not be that (`--pid=host`). */
function isInit(pid: number, proc: string): boolean {
  const text = readText(`${proc}/${pid}/status`);
  if (text.kind !== 'read') return false;
  const { nsPid = [] } = parseStatus(text.content);
  return nsPid.length > 1 && nsPid.at(-1) === 1;
}

const runtimeByDress = [
  [/(?:^|[/:])docker[-/]/, 'docker'],
  [/(?:^|[/:])(?:cri-)?containerd[-:]/, 'containerd'],
  [/(?:^|[/:])nerdctl[-:]/, 'containerd'],
  [/(?:^|[/:])crio[-:]/, 'cri-o'],
  [/(?:^|[/:])libpod[-_]/, 'podman'],
] as const;

/** The dress of the cgroup's name tells mostly; where it is bare, the namespace in containerd's bundle path. */
function runtimeOf(paths: readonly string[], shim: Shim | null, bundle: Bundle | null): string {
  for (const path of paths) {
    const runtime = runtimeByDress.find(([dress]) => dress.test(path))?.[1];
    if (runtime !== undefined) return runtime;
  }
  if (bundle?.path.includes('/moby/')) return 'docker';
  if (shim?.comm.startsWith('containerd-shim')) return 'containerd';
  return shim?.comm ?? 'unknown';
}
