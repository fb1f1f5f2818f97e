// The old program's children: descendants of the target in its container. Exec sessions, debug shells and agents are not its
// descendants (their parent is outside, seen as 0); what they left behind as orphans is told by a session leader that still lives.
import { existsSync } from 'node:fs';
import { parseCgroup } from '../procfs/cgroup.ts';
import { descendantsOf, listProcesses } from '../procfs/processes.ts';
import { listNumbers, readText } from '../procfs/read.ts';
import { parseStat, type ProcessStat } from '../procfs/stat.ts';
import { statusField } from '../procfs/status.ts';
import { countThreads, listThreads } from '../procfs/threads.ts';

/** For so many, the processes are not counted first. */
const fewThreads = 64;

export interface Descendant {
  readonly pid: number;
  /** As the target sees it: what a remote wait4 takes. */
  readonly pidInside: number;
  readonly ppid: number;
  readonly comm: string;
  readonly state: string;
  /** Not the old program's: it belongs to an exec session, to hotexec, or is another container's. */
  readonly spared: boolean;
}

/** What the old program's own children have in common with it. */
interface Home {
  readonly session: number | undefined;
  readonly groups: string;
}

/** Parents before children. `ours` are processes that must never be touched: this engine and its front. */
export function listDescendants(pid: number, ours: ReadonlySet<number>): readonly Descendant[] {
  const found = findDescendants(pid);
  if (found.length === 0) return [];
  const members = new Set([pid, ...found.map((process) => process.pid)]);
  const spared = new Set<number>();
  let own: Home | undefined;
  for (const process of found) {
    if (ours.has(process.pid) || spared.has(process.ppid)) {
      spared.add(process.pid);
      continue;
    }
    // Not before it is asked for: mostly, what is left of hotexec is the only child, and this is in the hold.
    own ??= { session: readStat(pid)?.session, groups: cgroupsOf(pid) };
    // The session of the target itself may be led from outside: a program started in a shell's terminal.
    const foreign = process.session !== own.session && !members.has(process.session) && isLiving(process.session);
    const elsewhere = process.state !== 'Z' && cgroupsOf(process.pid) !== own.groups;
    if (foreign || elsewhere) spared.add(process.pid);
  }
  return found.flatMap(({ pid: child, ppid, comm, state }) => {
    const pidInside = innermostPid(child);
    return pidInside === undefined ? [] : [{ pid: child, pidInside, ppid, comm, state, spared: spared.has(child) }];
  });
}

/** The process and all below it, whosever they are. */
export function pidsBelow(pid: number): readonly number[] {
  return [pid, ...listDescendants(pid, new Set()).map((child) => child.pid)];
}

type Listed = Pick<ProcessStat, 'pid' | 'ppid' | 'session' | 'state' | 'comm'>;

/**
 * Each thread has a list of its own children. A kernel without CONFIG_PROC_CHILDREN has no such lists; there, and where the processes are
 * fewer than the threads, as in a pod, each process is asked for its parent.
 * That is not only quicker. A file of /proc that was opened for a thread is one more thing for the kernel to forget when it ends, which
 * is in the hold: 4 us (kernel/exit.c release_task, proc_flush_pid; measured).
 */
function findDescendants(pid: number): readonly Listed[] {
  const hasLists = existsSync('/proc/thread-self/children');
  return hasLists && !hasFewerProcesses(pid) ? followChildren(pid) : descendantsOf(pid, listProcesses());
}

function hasFewerProcesses(pid: number): boolean {
  const threads = countThreads(pid);
  if (threads <= fewThreads) return false;
  const processes = listNumbers('/proc');
  return processes.kind === 'read' && processes.content.length < threads;
}

function followChildren(pid: number): readonly Listed[] {
  const threads = listThreads(pid);
  if (threads.kind !== 'read') return [];
  const children = threads.content.flatMap((tid) => childrenOf(pid, tid));
  return children.flatMap((child) => {
    const stat = readStat(child);
    const family: Listed[] = stat === undefined ? [] : [stat];
    return family.concat(followChildren(child));
  });
}

/** The children that one thread of a process has made or inherited, zombies included. */
export function childrenOf(pid: number, tid: number): readonly number[] {
  const children = readText(`/proc/${pid}/task/${tid}/children`);
  if (children.kind !== 'read') return [];
  return children.content
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number);
}

/** The pid in the innermost namespace; undefined when the process is gone. */
export function innermostPid(pid: number): number | undefined {
  const status = readText(`/proc/${pid}/status`);
  const pids = status.kind === 'read' ? statusField(status.content, 'NSpid') : undefined;
  return pids === undefined ? undefined : Number(pids.slice(pids.lastIndexOf('\t') + 1));
}

function isLiving(pid: number): boolean {
  const stat = pid === 0 ? undefined : readStat(pid);
  return stat !== undefined && stat.state !== 'Z';
}

function readStat(pid: number): ProcessStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text.kind === 'read' ? parseStat(text.content) : undefined;
}

function cgroupsOf(pid: number): string {
  const text = readText(`/proc/${pid}/cgroup`);
  if (text.kind !== 'read') return 'gone';
  return parseCgroup(text.content)
    .map((membership) => membership.path)
    .join();
}
