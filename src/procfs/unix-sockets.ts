// /proc/PID/net/unix (proc_net(5)): the unix sockets of the network namespace, to be found by inode.
// Paths are printed raw, line breaks included, so whoever names a socket can fake lines here: good for showing only.
import { parseHex, parseInteger } from './numbers.ts';

export interface UnixSocket {
  readonly protocol: 'unix';
  readonly inode: number;
  readonly type: 'stream' | 'dgram' | 'seqpacket' | 'unknown';
  /** undefined: not bound. `@name` is abstract: the kernel prints each NUL of it as `@`. */
  readonly path: string | undefined;
  readonly listening: boolean;
  readonly state: 'LISTEN' | 'UNCONNECTED' | 'CONNECTING' | 'CONNECTED' | 'DISCONNECTING' | 'UNKNOWN';
}

const SOURCE = 'unix';
const SO_ACCEPTCON = 0x1_0000n;
const LINE =
  /^[\da-fA-F]+: [\da-fA-F]+ [\da-fA-F]+ ([\da-fA-F]{8}) ([\da-fA-F]{4}) ([\da-fA-F]{2}) +(\d{1,15})(?: (.*))?$/s;

/** Parses net/unix; lines that are no socket (the heading, the rest of a path with a line break) are passed over. */
export function parseProcNetUnix(text: string): ReadonlyMap<number, UnixSocket> {
  const sockets = new Map<number, UnixSocket>();
  for (const line of text.split('\n')) {
    const [, flags, type, state, inode, path] = LINE.exec(line) ?? [];
    if (flags === undefined) continue;
    const socket: UnixSocket = {
      protocol: 'unix',
      inode: parseInteger(SOURCE, inode),
      type: nameType(parseHex(SOURCE, type)),
      path,
      ...describeState(parseHex(SOURCE, flags), parseHex(SOURCE, state)),
    };
    sockets.set(socket.inode, socket);
  }
  return sockets;
}

/** SOCK_* of include/linux/net.h. */
function nameType(type: bigint): UnixSocket['type'] {
  switch (type) {
    case 1n:
      return 'stream';
    case 2n:
      return 'dgram';
    case 5n:
      return 'seqpacket';
    default:
      return 'unknown';
  }
}

/** A listening socket shows the state UNCONNECTED; only the flag tells. */
function describeState(flags: bigint, state: bigint): Pick<UnixSocket, 'listening' | 'state'> {
  const listening = (flags & SO_ACCEPTCON) !== 0n;
  const names = ['UNKNOWN', 'UNCONNECTED', 'CONNECTING', 'CONNECTED', 'DISCONNECTING'] as const;
  return { listening, state: listening ? 'LISTEN' : (names[Number(state)] ?? 'UNKNOWN') };
}
