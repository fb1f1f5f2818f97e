// IP addresses as /proc/net prints them: each 32-bit word in the host's byte order, so 127.0.0.1 is `0100007F` on the
// little-endian machines hotexec runs on. Printed in the form of RFC 5952.

/** Formats 8 (IPv4) or 32 (IPv6) hexadecimal digits; undefined when it is neither. */
export function formatHexAddress(hex: string): string | undefined {
  if (!/^(?:[\da-fA-F]{8}|[\da-fA-F]{32})$/.test(hex)) return undefined;
  return formatAddress(Buffer.from(hex, 'hex').swap32());
}

/** Of 4 or 16 bytes, as on the wire. */
export function formatAddress(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

function formatIpv6(bytes: Buffer): string {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (isMapped) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return compressZeros(groups);
}

/** Replaces the longest run of two or more zero groups, the first of equals, by `::` (RFC 5952, 4.2). */
function compressZeros(groups: readonly string[]): string {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.length === 1) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}
