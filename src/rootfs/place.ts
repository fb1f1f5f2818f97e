// Where a path inside a container leads: the directory that is really there, and a name in it. Directories are resolved by openat2; a
// link as the last component is followed by hand, a step at a time, so that what is written goes where the link points, inside the root.
import { closeSync, readlinkSync, type BigIntStats } from 'node:fs';
import { describeErrno, ENOENT } from '../native/errno.ts';
import { RootDirectory, isName } from './directory.ts';
import { asText, mountIdOf, type ProcessRoot } from './open.ts';

/** As many links as the kernel follows (MAXSYMLINKS). */
const mostLinks = 40;
const ELOOP = 40;

export type Resolved =
  /** A directory that exists. */
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'refused'; readonly why: string };

export interface Place {
  /** The deepest directory that exists, without links. */
  readonly directory: string;
  /** `device:inode` of it. */
  readonly identity: string;
  readonly mountId: number;
  /** Directories that do not exist yet, from there on. */
  readonly below: readonly string[];
  readonly name: string;
  readonly entry: { readonly stat: BigIntStats; readonly mountId: number } | null;
}

/** The path inside the container. */
export function pathOfPlace({ directory, below, name }: Place): string {
  return [directory === '/' ? '' : directory, ...below, name].join('/');
}

/** `follow`: whether a link at the end of the path stands for what it names. */
export function resolvePlace(root: ProcessRoot, path: string, { follow }: { readonly follow: boolean }): Resolved {
  let wanted = path;
  for (let links = 0; links <= mostLinks; links++) {
    const { parent, name } = split(wanted);
    if (!isName(name)) return resolveDirectory(root, wanted);
    const deepest = openDeepest(root, parent);
    if (typeof deepest === 'string') return { kind: 'refused', why: deepest };
    using directory = deepest.directory;
    const found = root.pathOf(directory.fd);
    if (found === undefined) return { kind: 'refused', why: `${parent} has no name in the container that is text` };
    const stat = deepest.below.length === 0 ? directory.entry(name) : undefined;
    if (stat?.isSymbolicLink() === true && follow) {
      const target = asText(readlinkSync(directory.at(name), { encoding: 'buffer' }));
      if (target === undefined) return { kind: 'refused', why: `${wanted} is a link to a name that is not text` };
      wanted = target.startsWith('/') ? target : `${found === '/' ? '' : found}/${target}`;
      continue;
    }
    if (stat?.isDirectory() === true) return resolveDirectory(root, `${found === '/' ? '' : found}/${name}`);
    return {
      kind: 'place',
      place: {
        directory: found,
        identity: directory.identity,
        mountId: mountIdOf(directory.fd),
        below: deepest.below,
        name,
        entry: stat === undefined ? null : { stat, mountId: entryMountId(root, `${found}/${name}`, stat) },
      },
    };
  }
  return { kind: 'refused', why: `${path}: ${describeErrno(ELOOP)}` };
}

function resolveDirectory(root: ProcessRoot, path: string): Resolved {
  const fd = root.openDirectory(path);
  if (fd < 0) return { kind: 'refused', why: `${path} cannot be opened: ${describeErrno(fd)}` };
  using _directory = new RootDirectory(fd);
  const found = root.pathOf(fd);
  return found === undefined
    ? { kind: 'refused', why: `${path} has no name in the container that is text` }
    : { kind: 'directory', path: found };
}

/** The directory, or the deepest one above it that exists; a sentence where no directory could be made. */
function openDeepest(
  root: ProcessRoot,
  path: string,
): { readonly directory: RootDirectory; readonly below: readonly string[] } | string {
  const missing: string[] = [];
  let at = path;
  for (;;) {
    const fd = root.openDirectory(at);
    if (fd >= 0) {
      const directory = new RootDirectory(fd);
      const first = missing.at(-1);
      // A link that leads nowhere, or what came there this moment: mkdir would fail.
      if (first === undefined || directory.entry(first) === undefined)
        return { directory, below: missing.toReversed() };
      directory[Symbol.dispose]();
      return `${at === '/' ? '' : at}/${first} is there, but leads to no directory`;
    }
    const { parent, name } = split(at);
    if (fd !== -ENOENT || !isName(name)) return `${at} cannot be opened: ${describeErrno(fd)}`;
    missing.push(name);
    at = parent;
  }
}

/** A file can be a mount of its own, as a runtime's /etc/hosts is. A link cannot. */
function entryMountId(root: ProcessRoot, path: string, stat: BigIntStats): number {
  if (stat.isSymbolicLink()) return -1;
  const fd = root.lookUp(path);
  if (fd < 0) return -1;
  try {
    return mountIdOf(fd);
  } finally {
    closeSync(fd);
  }
}

/** `/a/b/` is `/a` and `b`. The name of `/` is empty. */
function split(path: string): { readonly parent: string; readonly name: string } {
  const trimmed = path.replace(/\/+(?:\.\/+)*$/, '');
  const at = trimmed.lastIndexOf('/');
  return { parent: trimmed.slice(0, at).replace(/\/+$/, '') || '/', name: trimmed.slice(at + 1) };
}
