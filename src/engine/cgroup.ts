// What a process's cgroups say that matters here: is it frozen, and how much memory may it still take. Both versions of cgroups.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCgroup, type CgroupMembership } from '../procfs/cgroup.ts';
import { parseMountInfo, type Mount } from '../procfs/mountinfo.ts';
import { readText } from '../procfs/read.ts';

export interface CgroupState {
  readonly paths: readonly string[];
  readonly frozen: boolean;
  /** Bytes under the memory limit that are free or can be reclaimed; null: no limit that can be read. */
  readonly headroomBytes: number | null;
}

// A v1 limit of "no limit" is the largest page-aligned long.
const noLimit = 2 ** 62;

export function readCgroupState(pid: number): CgroupState {
  const memberships = parseCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const unified = folder(memberships, mounts, null);
  return {
    paths: memberships.map((membership) => membership.path),
    frozen: isFrozen(folder(memberships, mounts, 'freezer'), unified),
    headroomBytes: headroomV1(folder(memberships, mounts, 'memory')) ?? headroomV2(unified),
  };
}

/** Where the process's group of a v1 controller, or of v2 (null), is mounted here; null: nowhere. */
function folder(
  memberships: readonly CgroupMembership[],
  mounts: readonly Mount[],
  controller: string | null,
): string | null {
  const membership = memberships.find((entry) =>
    controller === null ? entry.hierarchy === 0 : entry.controllers.includes(controller),
  );
  const mount = mounts.find((entry) =>
    controller === null
      ? entry.fsType === 'cgroup2'
      : entry.fsType === 'cgroup' && entry.superOptions.includes(controller),
  );
  if (membership === undefined || mount === undefined) return null;
  // The mount may show a part of the hierarchy only (in a container with its own cgroup mount).
  const path = mount.root === '/' ? membership.path : membership.path.replace(mount.root, '');
  return join(mount.mountPoint, path);
}

function isFrozen(v1: string | null, v2: string | null): boolean {
  const state = v1 === null ? null : content(`${v1}/freezer.state`);
  if (state !== null && state.trim() !== 'THAWED') return true;
  const events = v2 === null ? null : content(`${v2}/cgroup.events`);
  return events !== null && /^frozen 1$/m.test(events);
}

function headroomV1(directory: string | null): number | null {
  if (directory === null) return null;
  const stat = content(`${directory}/memory.stat`);
  const usage = content(`${directory}/memory.usage_in_bytes`);
  if (stat === null || usage === null) return null;
  const limit = field(stat, 'hierarchical_memory_limit');
  if (limit === null || limit >= noLimit) return null;
  return limit - Number(usage) + (field(stat, 'total_inactive_file') ?? 0);
}

/** The least room of the group and all above it: a limit anywhere on the way counts. */
function headroomV2(directory: string | null): number | null {
  let least: number | null = null;
  for (let at = directory; at !== null; at = parent(at)) {
    const limit = content(`${at}/memory.max`);
    const usage = content(`${at}/memory.current`);
    if (limit === null || usage === null) break;
    if (limit.trim() === 'max') continue;
    const room = Number(limit) - Number(usage) + (field(content(`${at}/memory.stat`) ?? '', 'inactive_file') ?? 0);
    least = least === null ? room : Math.min(least, room);
  }
  return least;
}

function parent(directory: string): string | null {
  const above = join(directory, '..');
  return above === directory ? null : above;
}

function field(text: string, name: string): number | null {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function content(path: string): string | null {
  const reading = readText(path);
  return reading.kind === 'read' ? reading.content : null;
}
