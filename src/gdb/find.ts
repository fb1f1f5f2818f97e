// Which gdb there is: the first one on PATH, and what it says it is.
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Null: there is none. */
export function findGdb(path: string | undefined): string | null {
  const candidates = (path ?? '').split(':').filter((directory) => directory.startsWith('/'));
  return candidates.map((directory) => join(directory, 'gdb')).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** mi3, whose records are all that is relied on here, is known from gdb 9 on. */
export const oldestMajor = 9;

export interface GdbVersion {
  readonly major: number;
  readonly text: string;
}

/** The first line of `gdb --version`: `GNU gdb (Debian 13.1-3) 13.1`. The last number is gdb's own; those in brackets are the packager's. */
export function parseVersion(line: string): GdbVersion | null {
  const text = /^GNU gdb .*?(\d+(?:\.\d+)+\S*)\s*$/.exec(line)?.[1];
  return text === undefined ? null : { major: Number.parseInt(text, 10), text };
}
