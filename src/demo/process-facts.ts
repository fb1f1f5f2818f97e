// What /proc tells about the demo's server from outside, before and after.
import { parseProcNetTcp } from '../procfs/inet-sockets.ts';
import { parseNamespaceLink } from '../procfs/ns.ts';
import { listProcesses } from '../procfs/processes.ts';
import { readLink, readText, type Reading } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { parseStatus } from '../procfs/status.ts';

export interface ProcessFacts {
  readonly pid: number;
  /** In the innermost pid namespace. */
  readonly pidInside: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly startTicks: number;
  readonly startTime: Date;
  /** Inodes; null: this user may not read them. */
  readonly pidNamespace: number | null;
  readonly mountNamespace: number | null;
  /** Of the socket that listens on the port; null: none does. */
  readonly listenerInode: number | null;
}

export type Gone = 'gone';

export function readProcessFacts(pid: number, port: number): ProcessFacts | Gone {
  const startTicks = startTicksIfAlive(pid);
  const pidInside = pidInsideIfAlive(pid);
  if (startTicks === 'gone' || pidInside === 'gone') return 'gone';
  return {
    pid,
    pidInside,
    startTicks,
    startTime: startTime(startTicks, contentOf(readText('/proc/stat')) ?? ''),
    pidNamespace: namespaceOf(pid, 'pid'),
    mountNamespace: namespaceOf(pid, 'mnt'),
    listenerInode: listenerOn(port, contentOf(readText(`/proc/${pid}/net/tcp`)) ?? ''),
  };
}

export function startTicksIfAlive(pid: number): number | Gone {
  const stat = contentOf(readText(`/proc/${pid}/stat`));
  return stat === null ? 'gone' : parseStat(stat).startTicks;
}

function pidInsideIfAlive(pid: number): number | Gone {
  const status = contentOf(readText(`/proc/${pid}/status`));
  return status === null ? 'gone' : (parseStatus(status).nsPid?.at(-1) ?? pid);
}

/** The child of `parent` that is pid 1 of a pid namespace; null: there is none yet. */
export function namespaceInitOf(parent: number): number | null {
  const children = listProcesses().filter(({ ppid }) => ppid === parent);
  return children.find(({ pid }) => pidInsideIfAlive(pid) === 1)?.pid ?? null;
}

/** From the text of /proc/stat; a clock tick is 10 ms for every program on x86-64 and arm64 (USER_HZ). */
export function startTime(startTicks: number, procStat: string): Date {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(procStat)?.[1] ?? 0);
  return new Date(bootSeconds * 1000 + startTicks * 10);
}

/** From the text of /proc/PID/net/tcp. */
export function listenerOn(port: number, netTcp: string): number | null {
  const sockets = [...parseProcNetTcp(netTcp, 4).values()];
  return sockets.find(({ listening, local }) => listening && local === `127.0.0.1:${port}`)?.inode ?? null;
}

function namespaceOf(pid: number, name: string): number | null {
  const link = contentOf(readLink(`/proc/${pid}/ns/${name}`));
  return link === null ? null : parseNamespaceLink(link).inode;
}

function contentOf(reading: Reading<string>): string | null {
  return reading.kind === 'read' ? reading.content : null;
}
