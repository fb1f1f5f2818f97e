// The thin layer that reads /proc. A process may end at any time, so 'gone' is an answer here, not an error.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** What came of reading one entry: its content, or why there is none. */
export type Reading<Content> =
  | { readonly kind: 'read'; readonly content: Content }
  /** ENOENT or ESRCH: no such process, thread or descriptor (any more). EINVAL: a zombie's mountinfo. */
  | { readonly kind: 'gone' }
  /** EACCES or EPERM: it exists, but ptrace access (or hidepid) forbids it. */
  | { readonly kind: 'denied' };

const GONE: readonly string[] = ['ENOENT', 'ESRCH'];

/** Reads a text file; bytes that are not UTF-8 become U+FFFD. */
export function readText(path: string): Reading<string> {
  // A zombie has no mount namespace any more (mounts_open_common in fs/proc_namespace.c).
  return attempt(() => readFileSync(path, 'utf8'), [...GONE, 'EINVAL']);
}

/** Reads a binary file: auxv, cmdline, environ. */
export function readBytes(path: string): Reading<Buffer> {
  return attempt(() => readFileSync(path));
}

/** Reads where a link points to: exe, cwd, root, fd/N, ns/pid. */
export function readLink(path: string): Reading<string> {
  return attempt(() => readlinkSync(path));
}

/** Lists the names in a directory: fd, task, or /proc itself. */
function listNames(path: string): Reading<readonly string[]> {
  return attempt(() => readdirSync(path));
}

/** Lists the names that are numbers (pids, tids, descriptors), ascending. */
export function listNumbers(path: string): Reading<readonly number[]> {
  const names = listNames(path);
  if (names.kind !== 'read') return names;
  const numbers = names.content.filter((name) => /^\d{1,10}$/.test(name)).map(Number);
  return { kind: 'read', content: numbers.toSorted((a, b) => a - b) };
}

function attempt<Content>(read: () => Content, goneCodes = GONE): Reading<Content> {
  try {
    return { kind: 'read', content: read() };
  } catch (error) {
    if (isDenied(error)) return { kind: 'denied' };
    const code = errorCode(error);
    if (code !== undefined && goneCodes.includes(code)) return { kind: 'gone' };
    throw error;
  }
}

/** The error of a file that is there, and not for us. */
export function isDenied(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EACCES' || code === 'EPERM';
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
