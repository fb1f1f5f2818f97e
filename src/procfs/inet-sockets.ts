// /proc/PID/net/tcp, tcp6, udp, udp6 (proc_net(5)): the sockets of the process's network namespace, to be found by the
// inode that /proc/PID/fd/N shows as `socket:[inode]`.
import { formatHexAddress } from './ip-address.ts';
import { parseHex, parseInteger } from './numbers.ts';
import { ParseError } from './parse-error.ts';

export interface InetSocket {
  readonly protocol: 'tcp' | 'tcp6' | 'udp' | 'udp6';
  readonly inode: number;
  /** `127.0.0.1:80`, `[::1]:80`. */
  readonly local: string;
  /** undefined: no peer. */
  readonly remote: string | undefined;
  readonly state: InetState;
  readonly listening: boolean;
  readonly uid: number;
}

/** The names of include/net/tcp_states.h; UNCONN (as ss(8) says) is a UDP socket without a peer. */
export type InetState = (typeof TCP_STATES)[number] | 'UNCONN' | 'UNKNOWN';

const TCP_STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const;

type Protocol = InetSocket['protocol'];

/** Parses net/tcp (4) or net/tcp6 (6). Entries that belong to no descriptor (TIME_WAIT) are left out. */
export function parseProcNetTcp(text: string, family: 4 | 6): ReadonlyMap<number, InetSocket> {
  return parseTable(text, family === 4 ? 'tcp' : 'tcp6');
}

/** Parses net/udp (4) or net/udp6 (6). */
export function parseProcNetUdp(text: string, family: 4 | 6): ReadonlyMap<number, InetSocket> {
  return parseTable(text, family === 4 ? 'udp' : 'udp6');
}

function parseTable(text: string, protocol: Protocol): ReadonlyMap<number, InetSocket> {
  const sockets = new Map<number, InetSocket>();
  for (const line of text.split('\n').slice(1)) {
    if (line.trim() === '') continue;
    const socket = parseLine(line, protocol);
    if (socket.inode !== 0) sockets.set(socket.inode, socket);
  }
  return sockets;
}

function parseLine(line: string, protocol: Protocol): InetSocket {
  const [, local = '', remote = '', state, , , , uid, , inode] = line.trim().split(/\s+/);
  const stateName = nameState(protocol, Number(parseHex(protocol, state)));
  return {
    protocol,
    inode: parseInteger(protocol, inode),
    local: formatEndpoint(local, protocol),
    remote: /^0+:0+$/.test(remote) ? undefined : formatEndpoint(remote, protocol),
    state: stateName,
    listening: stateName === 'LISTEN',
    uid: parseInteger(protocol, uid),
  };
}

/** By its number in the kernel. */
export function tcpState(number: number): InetState {
  return TCP_STATES[number - 1] ?? 'UNKNOWN';
}

function nameState(protocol: Protocol, number: number): InetState {
  const name = tcpState(number);
  return name === 'CLOSE' && protocol.startsWith('udp') ? 'UNCONN' : name;
}

function formatEndpoint(text: string, protocol: Protocol): string {
  const [hex = '', port = ''] = text.split(':');
  const isIpv6 = protocol.endsWith('6');
  const address = hex.length === (isIpv6 ? 32 : 8) ? formatHexAddress(hex) : undefined;
  if (address === undefined || !/^[\da-fA-F]{4}$/.test(port)) throw new ParseError(protocol, 'no address', text);
  return `${isIpv6 ? `[${address}]` : address}:${Number.parseInt(port, 16)}`;
}
