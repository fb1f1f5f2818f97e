// Where a probe goes: an IP address as text (the front has resolved names) to the bytes of a socket address. Pure.
import { isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from '../../native/socket.ts';

/** undefined: no IP address, or one with a zone (`fe80::1%eth0`), or link-local, which means nothing without a zone. */
export function parseEndpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  if (isIPv4(host)) return { family: 4, address: ipv4Bytes(host), port };
  if (!isIPv6(host) || host.includes('%')) return undefined;
  const address = ipv6Bytes(host);
  const isLinkLocal = address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
  return isLinkLocal ? undefined : { family: 6, address, port };
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function ipv4Bytes(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** Of what isIPv6 has accepted: groups, at most one `::`, and an IPv4 address in the place of the last two groups. */
function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const front = groupBytes(head);
  const back = tail === undefined ? Buffer.alloc(0) : groupBytes(tail);
  return Buffer.concat([front, Buffer.alloc(16 - front.length - back.length), back]);
}

function groupBytes(text: string): Buffer {
  const groups = text.split(':').filter((group) => group !== '');
  return Buffer.concat(
    groups.map((group) => (group.includes('.') ? ipv4Bytes(group) : Buffer.from(group.padStart(4, '0'), 'hex'))),
  );
}
