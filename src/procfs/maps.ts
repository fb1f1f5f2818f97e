// /proc/PID/maps: the mappings of a process, ascending by address. Names are not escaped but for line breaks (`\012`).
import { unescapeLineBreaks } from './escape.ts';
import { parseBigInteger, parseHex } from './numbers.ts';
import { ParseError } from './parse-error.ts';

export interface Mapping {
  readonly start: bigint;
  /** The first address behind it. */
  readonly end: bigint;
  readonly perms: Permissions;
  /** Where in the file the mapping begins, in bytes. */
  readonly offset: bigint;
  /** Major and minor number in hexadecimal, as printed: `fe:00`. */
  readonly device: string;
  /** 0: no file. */
  readonly inode: bigint;
  /** A file, `[heap]`, `[anon:name]`…, without ` (deleted)`; undefined for nameless memory. */
  readonly path: string | undefined;
  /** The file has no name any more. (A file that is really called `x (deleted)` looks the same.) */
  readonly deleted: boolean;
}

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  readonly shared: boolean;
}

const SOURCE = 'maps';
const DELETED = ' (deleted)';
const LINE = /^([\da-f]+)-([\da-f]+) ([r-][w-][x-][sp]) ([\da-f]+) ([\da-f]+:[\da-f]+) (\d+)(?: +(.*))?$/s;

/** Parses a maps file; an empty one (kernel thread, zombie) gives no mappings. Throws ParseError. */
export function parseMaps(text: string): readonly Mapping[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

/** The first mapping of that name: `[vdso]`, `[stack]`, `/usr/bin/cat`. */
export function findMapping(maps: readonly Mapping[], path: string): Mapping | undefined {
  return maps.find((mapping) => mapping.path === path);
}

/** The mapping that holds the address. */
export function mappingAt(maps: readonly Mapping[], address: bigint): Mapping | undefined {
  return maps.find((mapping) => mapping.start <= address && address < mapping.end);
}

function parseLine(line: string): Mapping {
  const [, start, end, perms = '', offset, device = '', inode, name = ''] = LINE.exec(line) ?? [];
  if (start === undefined) throw new ParseError(SOURCE, 'no mapping', line);
  const deleted = name.endsWith(DELETED);
  const path = unescapeLineBreaks(deleted ? name.slice(0, -DELETED.length) : name);
  return {
    start: parseHex(SOURCE, start),
    end: parseHex(SOURCE, end),
    perms: {
      read: perms.startsWith('r'),
      write: perms[1] === 'w',
      execute: perms[2] === 'x',
      shared: perms.endsWith('s'),
    },
    offset: parseHex(SOURCE, offset),
    device,
    inode: parseBigInteger(SOURCE, inode),
    path: path === '' ? undefined : path,
    deleted,
  };
}
