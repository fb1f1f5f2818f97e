// The containers that have a process, by the ids in the paths of control groups.
import { containerIdIn, parseCgroup } from './cgroup.ts';
import { listNumbers, readText } from './read.ts';

/** One scan of all processes. Throws where /proc cannot be read: that is not the same as none. */
export function livingContainers(proc: string): ReadonlySet<string> {
  const pids = listNumbers(proc);
  if (pids.kind !== 'read') throw new Error(`${proc} cannot be read`);
  return new Set(
    pids.content.flatMap((pid) => {
      const cgroup = readText(`${proc}/${pid}/cgroup`);
      return cgroup.kind === 'read' ? (containerIdIn(parseCgroup(cgroup.content).map(({ path }) => path)) ?? []) : [];
    }),
  );
}
