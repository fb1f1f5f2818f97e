// The first line of a script, by the rules of load_script in fs/binfmt_script.c (Linux 5.1 and later): 256 bytes are
// looked at, the interpreter ends at a space, tab or NUL, and all the rest of the line is one argument.

export type ScriptReading =
  | { readonly kind: 'not-script' }
  | {
      readonly kind: 'script';
      readonly interpreter: string;
      /** undefined: none. Cut without a word where the 256 bytes end. */
      readonly argument: string | undefined;
    }
  /** It begins with #! but execve gives ENOEXEC, or ENOENT for an empty name. */
  | { readonly kind: 'unusable'; readonly why: string };

const BINPRM_BUF_SIZE = 256;
const LAST = BINPRM_BUF_SIZE - 1;

/** Parses the beginning of a file; more than 256 bytes make no difference. Never throws. */
export function parseShebang(beginning: Buffer): ScriptReading {
  if (beginning[0] !== 0x23 || beginning[1] !== 0x21) return { kind: 'not-script' };
  const buffer = Buffer.alloc(BINPRM_BUF_SIZE);
  beginning.copy(buffer, 0, 0, BINPRM_BUF_SIZE);
  const end = findLineEnd(buffer);
  if (end === undefined) return unusable('the interpreter path does not end within the first 256 bytes');
  const name = skipBlanks(buffer, 2, end);
  if (name === undefined || name === end || buffer[name] === 0) return unusable('it names no interpreter');
  const separator = findTerminator(buffer, name, end);
  const argument = separator === undefined || buffer[separator] === 0 ? undefined : skipBlanks(buffer, separator, end);
  // The kernel puts its NULs at the line's end and at the separator, then takes both as C strings.
  buffer[end] = 0;
  if (argument !== undefined && separator !== undefined) buffer[separator] = 0;
  return {
    kind: 'script',
    interpreter: cString(buffer, name),
    argument: argument === undefined ? undefined : cString(buffer, argument),
  };
}

/** Where the line ends, without blanks before it; undefined when the interpreter path would be cut. */
function findLineEnd(buffer: Buffer): number | undefined {
  let end = buffer.indexOf('\n');
  const nul = buffer.indexOf(0);
  // strnchr stops at a NUL: a line break behind one is not seen.
  if (end === -1 || (nul !== -1 && nul < end)) {
    const name = skipBlanks(buffer, 2, LAST);
    if (name === undefined || findTerminator(buffer, name, LAST) === undefined) return undefined;
    end = LAST;
  }
  while (isBlank(buffer[end - 1])) end -= 1;
  return end;
}

/** The first byte in first..last (inclusive) that is no space or tab. */
function skipBlanks(buffer: Buffer, first: number, last: number): number | undefined {
  for (let at = first; at <= last; at += 1) if (!isBlank(buffer[at])) return at;
  return undefined;
}

/** The first space, tab or NUL in first..last (inclusive). */
function findTerminator(buffer: Buffer, first: number, last: number): number | undefined {
  for (let at = first; at <= last; at += 1) if (isBlank(buffer[at]) || buffer[at] === 0) return at;
  return undefined;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function cString(buffer: Buffer, start: number): string {
  const end = buffer.indexOf(0, start);
  return buffer.toString('utf8', start, end === -1 ? buffer.length : end);
}

function unusable(why: string): ScriptReading {
  return { kind: 'unusable', why };
}
