// Lines of a gdb script: bytes as C strings, comments that cannot end before their line does.

/** As a C string literal that gdb reads whatever its character sets are: what is not printable ASCII is octal. */
export function literal(bytes: Buffer): string {
  const characters = Array.from(bytes, (byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${characters.join('')}"`;
}

const shownAtMostBytes = 60;

/** For a comment or a message of echo: quoted, and cut. */
export function shown(bytes: Buffer): string {
  const text = literal(bytes.subarray(0, shownAtMostBytes));
  return bytes.length > shownAtMostBytes ? `${text} and ${bytes.length - shownAtMostBytes} bytes more` : text;
}

/** A sentence that may have words of the target in it: for a comment, which ends with its line. */
export function printable(text: string): string {
  return literal(Buffer.from(text))
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"');
}

export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}

/** A paragraph of the script: a heading, and its lines. */
export function section(title: string, ...lines: readonly string[]): string {
  return [`# ---- ${title}`, ...lines].join('\n');
}
