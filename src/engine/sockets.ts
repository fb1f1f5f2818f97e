// The sockets of the target's network namespace, by inode: what /proc/PID/fd/N shows as `socket:[inode]`.
import { parseProcNetTcp, parseProcNetUdp, type InetSocket } from '../procfs/inet-sockets.ts';
import { readText } from '../procfs/read.ts';
import { parseProcNetUnix } from '../procfs/unix-sockets.ts';
import type { InspectedDescriptor } from '../protocol/inspection.ts';

type Socket = NonNullable<InspectedDescriptor['socket']>;

/** Every socket of the namespace. */
export function listSockets(tid: number): ReadonlyMap<number, Socket> {
  return new Map(tables.flatMap((read) => [...read(tid)]));
}

/**
 * Those of `inodes` that are there. The kernel walks its whole table of connections to show those of one namespace, empty or not: 4 ms a
 * file on a machine of 24 GiB (measured), so each is read only if something is still to be found.
 */
export function findSockets(tid: number, inodes: ReadonlySet<number>): ReadonlyMap<number, Socket> {
  const found = new Map<number, Socket>();
  for (const read of tables) {
    if (found.size === inodes.size) break;
    for (const [inode, socket] of read(tid)) if (inodes.has(inode)) found.set(inode, socket);
  }
  return found;
}

type Table = (tid: number) => ReadonlyMap<number, Socket>;

/** The cheap ones first. */
const tables: readonly Table[] = [
  unix,
  (tid) => inet(parseProcNetUdp(netFile(tid, 'udp'), 4)),
  (tid) => inet(parseProcNetUdp(netFile(tid, 'udp6'), 6)),
  (tid) => inet(parseProcNetTcp(netFile(tid, 'tcp'), 4)),
  (tid) => inet(parseProcNetTcp(netFile(tid, 'tcp6'), 6)),
];

function inet(sockets: ReadonlyMap<number, InetSocket>): ReadonlyMap<number, Socket> {
  const entries = [...sockets].map(([inode, { protocol, local, remote, state }]) => {
    return [inode, { protocol, local, remote: remote ?? null, state }] as const;
  });
  return new Map(entries);
}

function unix(tid: number): ReadonlyMap<number, Socket> {
  const entries = [...parseProcNetUnix(netFile(tid, 'unix'))].map(([inode, { type, path, state }]) => {
    return [inode, { protocol: `unix-${type}`, local: path ?? '', remote: null, state }] as const;
  });
  return new Map(entries);
}

/** `socket:[12345]` → 12345. */
export function socketInode(link: string): number | null {
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? null : Number(inode);
}

function netFile(tid: number, name: string): string {
  const reading = readText(`/proc/${tid}/net/${name}`);
  // Without IPv6 there is no tcp6.
  return reading.kind === 'read' ? reading.content : '';
}
