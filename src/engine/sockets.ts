// The sockets of the target's network namespace, by inode: what /proc/PID/fd/N shows as `socket:[inode]`.
import { parseProcNetTcp, parseProcNetUdp } from '../procfs/inet-sockets.ts';
import { readText } from '../procfs/read.ts';
import { parseProcNetUnix } from '../procfs/unix-sockets.ts';
import type { InspectedDescriptor } from '../protocol/inspection.ts';
import { diagnoseTcp, type TcpSocket } from './inet-diag.ts';

type Socket = NonNullable<InspectedDescriptor['socket']>;

/** The listening sockets of the namespace. */
export function listListening(tid: number): ReadonlyMap<number, Socket> {
  const sockets = [...unix(tid), ...tcp(tid, 'listening')];
  return new Map(sockets.filter(([, { state }]) => state === 'LISTEN'));
}

/** Those of `inodes` that are there. A namespace may have thousands, so each table is read only if something is still to be found. */
export function findSockets(tid: number, inodes: ReadonlySet<number>): ReadonlyMap<number, Socket> {
  const found = new Map<number, Socket>();
  for (const read of tables) {
    if (found.size === inodes.size) break;
    for (const [inode, socket] of read(tid)) if (inodes.has(inode)) found.set(inode, socket);
  }
  return found;
}

type Table = (tid: number) => Iterable<readonly [number, Socket]>;

const tables: readonly Table[] = [
  unix,
  (tid) => parseProcNetUdp(netFile(tid, 'udp'), 4).values().map(entryOf),
  (tid) => parseProcNetUdp(netFile(tid, 'udp6'), 6).values().map(entryOf),
  (tid) => tcp(tid, 'all'),
];

function tcp(tid: number, wanted: 'all' | 'listening'): Iterable<readonly [number, Socket]> {
  return (diagnoseTcp(tid, wanted) ?? tcpTables(tid)).values().map(entryOf);
}

function tcpTables(tid: number): readonly TcpSocket[] {
  return [...parseProcNetTcp(netFile(tid, 'tcp'), 4).values(), ...parseProcNetTcp(netFile(tid, 'tcp6'), 6).values()];
}

function entryOf({ inode, protocol, local, remote, state }: TcpSocket): readonly [number, Socket] {
  return [inode, { protocol, local, remote: remote ?? null, state }];
}

function unix(tid: number): readonly (readonly [number, Socket])[] {
  return [...parseProcNetUnix(netFile(tid, 'unix'))].map(([inode, { type, path, state }]) => {
    return [inode, { protocol: `unix-${type}`, local: path ?? '', remote: null, state }] as const;
  });
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
