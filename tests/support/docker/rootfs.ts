// What an image is made of: files of this machine with the libraries they need, and texts.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface RootfsEntry {
  /** In the image; absolute. */
  readonly path: string;
  readonly mode: number;
  /** Null: a directory. */
  readonly read: (() => Promise<Buffer>) | null;
}

export function directory(path: string, mode = 0o755): RootfsEntry {
  return { path, mode, read: null };
}

export function textFile(path: string, content: string, mode = 0o644): RootfsEntry {
  return { path, mode, read: async () => Buffer.from(content) };
}

/** Symbolic links are followed: what they name is copied. */
export async function hostFile(from: string, path: string = from): Promise<RootfsEntry> {
  const { mode } = await stat(from);
  return { path, mode: mode & 0o755, read: async () => await readFile(from) };
}

/** A program and the shared libraries that its loader would open. */
export async function executable(from: string, path: string = from): Promise<RootfsEntry[]> {
  const libraries = await librariesOf([from]);
  return await Promise.all([hostFile(from, path), ...libraries.map(async (library) => await hostFile(library))]);
}

/** Every file below; a symbolic link that leads to a directory, or nowhere, is left out. */
export async function hostTree(root: string, isWanted: (path: string) => boolean): Promise<RootfsEntry[]> {
  const names = await readdir(root, { recursive: true });
  const paths = names.map((name) => join(root, name)).filter(isWanted);
  const entries = await Promise.all(paths.map(async (path) => ((await isFile(path)) ? await hostFile(path) : [])));
  return entries.flat();
}

/** The shared libraries that the loader would open for these files; a static one has none. */
export async function librariesOf(files: readonly string[]): Promise<string[]> {
  // Ldd fails when one of the files is static, after it has told about the others.
  const { stdout } = await execute('ldd', files).catch((error: unknown) => error as { stdout: string });
  const found = [...stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path = '']) => normalize(path));
  return [...new Set(found)].filter((library) => !files.includes(library));
}

/** Sorted, each path once, with the directories that lead there. */
export function complete(entries: readonly RootfsEntry[]): RootfsEntry[] {
  const byPath = new Map<string, RootfsEntry>();
  for (const entry of entries) {
    for (const parent of parentsOf(entry.path)) byPath.set(parent, byPath.get(parent) ?? directory(parent));
    byPath.set(entry.path, entry);
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
