// The sockets of the target's network namespace, by inode: what /proc/PID/fd/N shows as `socket:[inode]`.
import { parseProcNetTcp, parseProcNetUdp } from '../procfs/inet-sockets.ts';
import { readText } from '../procfs/read.ts';
import { parseProcNetUnix } from '../procfs/unix-sockets.ts';
import type { InspectedDescriptor } from '../protocol/inspection.ts';

type Socket = NonNullable<InspectedDescriptor['socket']>;

export function listSockets(tid: number): ReadonlyMap<number, Socket> {
  const sockets = new Map<number, Socket>();
  for (const family of [4, 6] as const) {
    const suffix = family === 6 ? '6' : '';
    const tcp = parseProcNetTcp(netFile(tid, `tcp${suffix}`), family);
    const udp = parseProcNetUdp(netFile(tid, `udp${suffix}`), family);
    for (const [inode, { protocol, local, remote, state }] of [...tcp, ...udp]) {
      sockets.set(inode, { protocol, local, remote: remote ?? null, state });
    }
  }
  for (const [inode, { type, path, state }] of parseProcNetUnix(netFile(tid, 'unix'))) {
    sockets.set(inode, { protocol: `unix-${type}`, local: path ?? '', remote: null, state });
  }
  return sockets;
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
