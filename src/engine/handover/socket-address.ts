// struct sockaddr as the kernel gives and takes it: compared to know which socket a bind asks for, printed for people. Pure.
export const AF_UNIX = 1;
const AF_INET = 2;
/** With less bind(2) answers EINVAL (net/ipv4/af_inet.c inet_bind_sk). */
const SIZEOF_SOCKADDR_IN = 16;
export const AF_INET6 = 10;

export interface SocketAddress {
  readonly family: number;
  /** Of TCP and UDP; 0: any. */
  readonly port: number;
  /** What must be the same for two to be the same: address and scope, or the path without its final NUL. */
  readonly host: string;
  readonly isWildcard: boolean;
}

/** Null: of no family that can be handed over, or cut off. */
export function parseSocketAddress(bytes: Buffer): SocketAddress | null {
  if (bytes.length < 2) return null;
  const family = bytes.readUInt16LE(0);
  if (family === AF_INET && bytes.length >= SIZEOF_SOCKADDR_IN) {
    const host = bytes.subarray(4, 8);
    return { family, port: bytes.readUInt16BE(2), host: host.join('.'), isWildcard: host.every((byte) => byte === 0) };
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    // port, flow information, address, scope
    const host = bytes.subarray(8, 24);
    const scope = bytes.length >= 28 ? bytes.readUInt32LE(24) : 0;
    const text = host.toString('hex') + (scope === 0 ? '' : `%${scope}`);
    return { family, port: bytes.readUInt16BE(2), host: text, isWildcard: host.every((byte) => byte === 0) };
  }
  return family === AF_UNIX && bytes.length > 2 ? parseUnix(bytes.subarray(2)) : null;
}

/** An abstract name is all of its bytes; a path ends at its first NUL (unix(7)). */
function parseUnix(name: Buffer): SocketAddress {
  const end = name[0] === 0 ? -1 : name.indexOf(0);
  const host = (end < 0 ? name : name.subarray(0, end)).toString('latin1');
  return { family: AF_UNIX, port: 0, host, isWildcard: false };
}

export function isSameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.family === b.family && a.port === b.port && a.host === b.host;
}

/** Whether the kernel may refuse the one (EADDRINUSE) as long as the other is bound: the same port, and addresses that may meet. */
export function mayConflict(a: SocketAddress, b: SocketAddress): boolean {
  if (a.family === AF_UNIX || b.family === AF_UNIX) return false;
  return a.port === b.port && (a.isWildcard || b.isWildcard || a.host === b.host || a.family !== b.family);
}

/** Whether a connection to the one comes to a socket that is bound to the other: a wildcard is reached by the loopback address at least. */
export function isReachedBy(bound: SocketAddress, address: SocketAddress): boolean {
  if (isSameAddress(bound, address)) return true;
  if (bound.family === AF_UNIX || address.family === AF_UNIX || bound.port !== address.port) return false;
  return bound.isWildcard && (address.isWildcard || isLoopback(address));
}

function isLoopback({ family, host }: SocketAddress): boolean {
  if (family !== AF_INET6) return host.startsWith('127.');
  // ::1, and 127.0.0.0/8 as an IPv4-mapped address.
  return /^0{31}1$/.test(host) || /^0{20}ffff7f/.test(host);
}
