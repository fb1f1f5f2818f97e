// Where a probe goes: an IP address as text (the front has resolved names) to the bytes of a socket address. Pure.
import type { Endpoint } from '../../native/socket.ts';

/** undefined: no IP address, or one with a zone (`fe80::1%eth0`), or link-local, which means nothing without a zone. */
export function parseEndpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const ipv4 = ipv4Bytes(host);
  if (ipv4 !== undefined) return { family: 4, address: ipv4, port };
  const address = ipv6Bytes(host);
  if (address === undefined) return undefined;
  const isLinkLocal = address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
  return isLinkLocal ? undefined : { family: 6, address, port };
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function ipv4Bytes(text: string): Buffer | undefined {
  const numbers = text.split('.');
  const areBytes =
    numbers.length === 4 && numbers.every((number) => /^(0|[1-9]\d{0,2})$/.test(number) && Number(number) < 256);
  return areBytes ? Buffer.from(numbers.map(Number)) : undefined;
}

/** Groups, at most one `::`, and perhaps an IPv4 address in the place of the last two groups (RFC 4291, 2.2). */
function ipv6Bytes(text: string): Buffer | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const front = groupBytes(head, tail === undefined);
  const back = groupBytes(tail ?? '', true);
  if (front === undefined || back === undefined) return undefined;
  const missing = 16 - front.length - back.length;
  // `::` stands for one group at least.
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Buffer.concat([front, Buffer.alloc(missing), back]);
}

/** `isLast`: an IPv4 address may stand at the end. */
function groupBytes(text: string, isLast: boolean): Buffer | undefined {
  if (text === '') return Buffer.alloc(0);
  const groups = text.split(':');
  const found: Buffer[] = [];
  for (const [index, group] of groups.entries()) {
    const isHex = /^[\da-fA-F]{1,4}$/.test(group);
    const ipv4 = isLast && index === groups.length - 1 ? ipv4Bytes(group) : undefined;
    const bytes = isHex ? Buffer.from(group.padStart(4, '0'), 'hex') : ipv4;
    if (bytes === undefined) return undefined;
    found.push(bytes);
  }
  return Buffer.concat(found);
}
