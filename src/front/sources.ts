// The files that a request names here, looked at before an engine is asked: what is wrong with them is a matter of the command line.
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, posix, resolve } from 'node:path';
import { HotexecError } from '../errors.ts';
import type { FileCopy } from '../protocol/request.ts';

/** The absolute path of a file that can become the executable. `what` names it in errors, `cwd` is where it is looked for. */
export async function replacementFile(path: string, { what, cwd }: Naming): Promise<string> {
  if (path === '') throw refusal(`${what} names no file.`, 'name the executable file');
  const source = resolve(cwd, path);
  const stats = await statOf(source, `${what} ${quote(path)}`);
  if (stats.isDirectory()) throw refusal(`${what} ${quote(path)} is a directory.`, 'name the executable file');
  if (!stats.isFile()) throw refusal(`${what} ${quote(path)} is not a regular file.`, 'name the executable file');
  if (stats.size === 0) throw refusal(`${what} ${quote(path)} is empty.`);
  await tryToOpen(source, `${what} ${quote(path)}`);
  return source;
}

export interface Naming {
  /** `--with` */
  readonly what: string;
  readonly cwd: string;
}

/** Absolute and readable, as the engine wants them. */
export async function fileCopies(copies: readonly FileCopy[], naming: Naming): Promise<readonly FileCopy[]> {
  const all = await Promise.all(copies.map((copy) => fileCopy(copy, naming)));
  const twice = all.find(
    ({ destination }, index) => all.findIndex((other) => other.destination === destination) < index,
  );
  if (twice === undefined) return all;
  throw refusal(`${naming.what}: two sources have the one destination ${quote(twice.destination)}.`);
}

/** A file for `DEST/` goes into that directory, under its own name; what is in a directory goes into DEST. */
async function fileCopy(copy: FileCopy, { what, cwd }: Naming): Promise<FileCopy> {
  if (copy.source === '') throw refusal(`${what}: there is no source for ${quote(copy.destination)}.`);
  const source = resolve(cwd, copy.source);
  const named = `${what} ${quote(copy.source)}`;
  const stats = await statOf(source, named);
  if (!stats.isDirectory() && !stats.isFile()) throw refusal(`${named} is neither a file nor a directory.`);
  const isDirectory = stats.isDirectory();
  await tryToOpen(source, named);
  return { ...copy, source, destination: destinationOf(copy, { what, name: isDirectory ? '' : basename(source) }) };
}

function destinationOf(
  { destination }: FileCopy,
  { what, name }: { readonly what: string; readonly name: string },
): string {
  const named = `${what}: the destination ${quote(destination)}`;
  if (!destination.startsWith('/')) throw refusal(`${named} must begin with /: it is a path inside the container.`);
  // Inside the container it could not lead out; but who writes it means something else than what would happen.
  if (destination.split('/').includes('..')) throw refusal(`${named} must not go up with "..".`);
  if (destination.includes('\0')) throw refusal(`${named} holds a NUL byte, which no path can.`);
  const path = destination.endsWith('/') ? `${destination}${name}` : destination;
  return posix.normalize(path).replace(/(?<=.)\/$/, '');
}

async function statOf(path: string, named: string): ReturnType<typeof stat> {
  try {
    return await stat(path);
  } catch (error) {
    throw unreadable(named, error);
  }
}

/** Not access(2): that asks for the real user, and files are opened by the effective one. */
async function tryToOpen(path: string, named: string): Promise<void> {
  try {
    await using _file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(named, error);
  }
}

/** The usage error of a file that a flag names; `named` begins the sentence. */
export function unreadable(named: string, cause: unknown): HotexecError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const why = reasons[code] ?? code;
  return new HotexecError({ code: 'usage', message: `${named} cannot be read: ${why}.`, hint: null }, { cause });
}

const reasons: Readonly<Record<string, string>> = {
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such file here',
  ENOTDIR: 'there is no such file here',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its symbolic links go round in circles',
};

function refusal(message: string, hint: string | null = null): HotexecError {
  return new HotexecError({ code: 'usage', message, hint });
}

function quote(path: string): string {
  return JSON.stringify(path);
}
