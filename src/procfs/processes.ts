// The processes under /proc, from one scan. It is no snapshot: processes come and go meanwhile, so a child may be
// listed without its parent.
import { listNumbers, readText } from './read.ts';
import { parseStat, type ProcessStat } from './stat.ts';

export type ListedProcess = Pick<
  ProcessStat,
  'pid' | 'comm' | 'state' | 'ppid' | 'pgrp' | 'session' | 'flags' | 'startTicks'
>;

/** Lists every process that can be read, by ascending pid; what ends or is hidden during the scan is left out. */
export function listProcesses(proc = '/proc'): readonly ListedProcess[] {
  const pids = listNumbers(proc);
  if (pids.kind !== 'read') return [];
  return pids.content.flatMap((pid) => {
    const stat = readText(`${proc}/${pid}/stat`);
    return stat.kind === 'read' ? [pickListed(parseStat(stat.content))] : [];
  });
}

/** The children of `pid`, their children and so on, parents before children; without `pid` itself. */
export function descendantsOf<Listed extends Pick<ListedProcess, 'pid' | 'ppid'>>(
  pid: number,
  processes: readonly Listed[],
): readonly Listed[] {
  const childrenByParent = Map.groupBy(processes, (process) => process.ppid);
  const seen = new Set([pid]);
  const found: Listed[] = [];
  let generation: readonly number[] = [pid];
  while (generation.length > 0) {
    // A pid reused during the scan can close a circle: nobody is visited twice.
    const children = generation
      .flatMap((parent) => childrenByParent.get(parent) ?? [])
      .filter((child) => !seen.has(child.pid) && seen.add(child.pid));
    found.push(...children);
    generation = children.map((child) => child.pid);
  }
  return found;
}

function pickListed({ pid, comm, state, ppid, pgrp, session, flags, startTicks }: ProcessStat): ListedProcess {
  return { pid, comm, state, ppid, pgrp, session, flags, startTicks };
}
