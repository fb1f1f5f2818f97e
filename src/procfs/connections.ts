// /proc/PID/net/tcp and tcp6 (proc_net(5)) row by row, with those that no descriptor stands for: a connection in a listener's queue has
// the inode 0. Rows that do not parse are left out.

export interface Connection {
  readonly local: { readonly family: 4 | 6; readonly address: Buffer; readonly port: number };
  readonly peer: { readonly family: 4 | 6; readonly address: Buffer; readonly port: number };
  readonly listening: boolean;
  readonly inode: number;
}

const ROW =
  /^ *\d+: ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{2})(?: +\S+){5} +(\d+)/gm;
/** TCP_LISTEN of include/net/tcp_states.h. */
const LISTEN = '0A';

export function parseConnections(text: string): readonly Connection[] {
  return [...text.matchAll(ROW)].map(([, local = '', localPort = '', peer = '', peerPort = '', state, inode]) => ({
    local: endpoint(local, localPort),
    peer: endpoint(peer, peerPort),
    listening: state === LISTEN,
    inode: Number(inode),
  }));
}

/** Each 32-bit word in the host's byte order. */
function endpoint(hex: string, port: string): Connection['local'] {
  const address = Buffer.from(hex, 'hex').swap32();
  return { family: address.length === 4 ? 4 : 6, address, port: Number.parseInt(port, 16) };
}
