// Whether files have room where the agent keeps them. In a file system that is memory they count as the pod's memory: the kernel would
// kill somebody for them, perhaps the program that is to be restarted.
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { HotexecError } from '../errors.ts';

/** include/uapi/linux/magic.h */
const TMPFS_MAGIC = 0x0102_1994;
const RAMFS_MAGIC = 0x8584_58f6;

/** What a disk or the memory is to have left. */
const spareBytes = 16 * 1024 * 1024;

export interface Needed {
  readonly bytes: number;
  /** Of files. */
  readonly count: number;
}

/** Throws file-refused or memory-too-small. */
export async function refuseWithoutRoom(directory: string, needed: Needed): Promise<void> {
  if (needed.bytes === 0) return;
  const { type, bavail, bsize, files, ffree } = await statfs(directory);
  if (needed.bytes > bavail * bsize)
    throw tooSmall('file-refused', `the file system of the agent has ${mib(bavail * bsize)} MiB left`, needed);
  // A file system that makes inodes as they are needed counts none.
  if (files > 0 && needed.count > ffree)
    throw tooSmall('file-refused', `the file system of the agent has room for ${ffree} files`, needed);
  if (type !== TMPFS_MAGIC && type !== RAMFS_MAGIC) return;
  const leftBytes = freeMemoryBytes();
  if (needed.bytes + spareBytes > leftBytes)
    throw tooSmall(
      'memory-too-small',
      `the agent keeps files in memory, of which ${mib(leftBytes)} MiB are left`,
      needed,
    );
}

/** Of the machine, and under the limit of the agent's own control group: that of the pod above it does not show here. */
function freeMemoryBytes(): number {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readText('/proc/meminfo'))?.[1];
  return Math.min(available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024, headroomBytes());
}

const groups = [
  { limit: '/sys/fs/cgroup/memory.max', used: '/sys/fs/cgroup/memory.current' },
  { limit: '/sys/fs/cgroup/memory/memory.limit_in_bytes', used: '/sys/fs/cgroup/memory/memory.usage_in_bytes' },
] as const;

function headroomBytes(): number {
  for (const { limit, used } of groups) {
    const limitBytes = Number.parseInt(readText(limit), 10);
    const usedBytes = Number.parseInt(readText(used), 10);
    // `max` is no number.
    if (Number.isFinite(limitBytes) && Number.isFinite(usedBytes)) return limitBytes - usedBytes;
  }
  return Number.POSITIVE_INFINITY;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not on this kernel
  }
}

function tooSmall(code: 'file-refused' | 'memory-too-small', why: string, { bytes, count }: Needed): HotexecError {
  const what = count === 1 ? 'The file' : `The ${count} files`;
  return new HotexecError({
    code,
    message: `${what} of ${mib(bytes)} MiB cannot be sent into the pod: ${why}. Nothing was touched.`,
    hint: 'send less, or put the files into the image',
  });
}

function mib(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}
