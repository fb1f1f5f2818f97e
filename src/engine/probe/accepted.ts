// Whether the program has accepted a connection. The kernel answers a connect as soon as the connection is in the listener's queue, and
// a listener that hotexec holds queues too; but a connection gets an inode only when accept(2) makes a socket of it.
// Asked by sock_diag(7) for this one connection: /proc/net/tcp lists all of the namespace, thousands under load. It is read where the
// kernel has no tcp_diag.
import { SOCK_DIAG_BY_FAMILY, TCP_LISTEN, tcpRequest } from '../inet-diag.ts';
import { parseConnections } from '../../procfs/connections.ts';
import { readText } from '../../procfs/read.ts';
import type { Endpoint } from '../../native/socket.ts';
import { receive, send } from '../../native/socket.ts';

/** `elsewhere`: neither the other end nor a listener for it is in this namespace. */
export type Acceptance = 'accepted' | 'queued' | 'elsewhere';

/** What the kernel says of the socket with these two ends: its inode, 0 for one that waits in a queue. */
type Found = { readonly kind: 'connection'; readonly inode: number } | { readonly kind: 'listener' | 'none' };

interface Ends {
  readonly local: Endpoint;
  readonly peer: Endpoint;
}

export interface SocketSource {
  /** A socket for sock_diag in the namespace, or -errno. */
  readonly diagnosis: number;
  /** A thread in the namespace. */
  readonly tid: number;
}

/** `ours`: the ends as our own socket names them. */
export function acceptance(source: SocketSource, ours: Ends): Acceptance {
  const theirs = { local: ours.peer, peer: ours.local };
  const found = source.diagnosis < 0 ? undefined : byDiagnosis(source.diagnosis, theirs);
  // Without tcp_diag the kernel finds nothing, not even our own socket.
  const isTrue = found !== undefined && (found.kind !== 'none' || byDiagnosis(source.diagnosis, ours)?.kind !== 'none');
  return judge(isTrue ? found : byTable(source.tid, theirs));
}

function judge(found: Found): Acceptance {
  if (found.kind === 'none') return 'elsewhere';
  return found.kind === 'connection' && found.inode !== 0 ? 'accepted' : 'queued';
}

/** undefined: no answer that can be used. */
function byDiagnosis(fd: number, { local, peer }: Ends): Found | undefined {
  const request = tcpRequest(local.family);
  request.writeUInt16BE(local.port, 24);
  request.writeUInt16BE(peer.port, 26);
  request.set(local.address, 28);
  request.set(peer.address, 44);
  if (send(fd, request) < 0) return undefined;
  const answer = receive(fd);
  return typeof answer === 'number' ? undefined : readAnswer(answer);
}

/** The kernel looks for a connection first and gives the listener that would take it where there is none. */
function readAnswer(answer: Buffer): Found | undefined {
  const ENOENT = -2;
  if (answer.length < 20) return undefined;
  if (answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) {
    return answer.readInt32LE(16) === ENOENT ? { kind: 'none' } : undefined;
  }
  // struct inet_diag_msg: its state at 1, its inode at 68.
  if (answer.length < 88) return undefined;
  return answer.readUInt8(17) === TCP_LISTEN
    ? { kind: 'listener' }
    : { kind: 'connection', inode: answer.readUInt32LE(84) };
}

function byTable(tid: number, { local, peer }: Ends): Found {
  const rows = (['tcp', 'tcp6'] as const).flatMap((name) => {
    const reading = readText(`/proc/${tid}/net/${name}`);
    return reading.kind === 'read' ? parseConnections(reading.content) : [];
  });
  const connection = rows.find((row) => !row.listening && same(row.local, local) && same(row.peer, peer));
  if (connection !== undefined) return { kind: 'connection', inode: connection.inode };
  const takes = (row: Endpoint): boolean => row.port === local.port && (isAny(row.address) || same(row, local));
  return { kind: rows.some((row) => row.listening && takes(row.local)) ? 'listener' : 'none' };
}

function same(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && plain(a.address).equals(plain(b.address));
}

function isAny(address: Buffer): boolean {
  return address.every((byte) => byte === 0);
}

/** An IPv4 address for an IPv4-mapped one (`::ffff:1.2.3.4`). */
function plain(address: Buffer): Buffer {
  const isMapped = address.length === 16 && isAny(address.subarray(0, 10)) && address.readUInt16BE(10) === 0xffff;
  return isMapped ? address.subarray(12) : address;
}
