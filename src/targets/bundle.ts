// A container's bundle: the directory with the config.json that its first process was started from.
// Anybody may name a process `conmon` and lay a config.json into its directory, and the restart of a privileged user
// would follow it: only a file of root or of the user who asks is believed.
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readText } from '../procfs/read.ts';
import type { ProgramSpec } from '../protocol/request.ts';
import { parseOciSpec } from './oci-spec.ts';
import type { Shim } from './shim.ts';

export interface Bundle {
  readonly id: string;
  readonly path: string;
  readonly spec: ProgramSpec | null;
}

export interface BundleQuestion {
  readonly pid: number;
  readonly proc: string;
  readonly shim: Shim;
  /** From the cgroup; undefined: it does not tell. */
  readonly id: string | undefined;
  readonly isInit: boolean;
}

const maxSizeBytes = 16 * 1024 * 1024;

/** Null: there is none, it belongs to another container, or the process was brought into the container by an exec. */
export function readBundle({ pid, proc, shim, id, isInit }: BundleQuestion): Bundle | null {
  if (shim.cwd === null) return null;
  const found = locate(shim.cwd, id);
  if (found === null) return null;
  if (!(isFirstProcess(found.path, pid) ?? isInit)) return null;
  const text = readTrusted(join(found.path, 'config.json'), ownUid(proc));
  return { ...found, spec: text === null ? null : parseOciSpec(text) };
}

/** One shim may serve all containers of a pod: its directory is then the sandbox's, and the others lie beside it. */
function locate(cwd: string, id: string | undefined): Pick<Bundle, 'id' | 'path'> | null {
  if (id === undefined) {
    const name = [basename(cwd), basename(dirname(cwd))].find((part) => /^[\da-f]{64}$/.test(part));
    return name === undefined ? null : { id: name, path: cwd };
  }
  // podman and CRI-O: …/<id>/userdata
  if (cwd.split('/').includes(id)) return { id, path: cwd };
  return /^[\da-f]{64}$/.test(basename(cwd)) ? { id, path: join(dirname(cwd), id) } : null;
}

/** containerd's shim writes the first process's pid beside the spec; its other children come from an exec. */
function isFirstProcess(bundle: string, pid: number): boolean | undefined {
  const text = readText(join(bundle, 'init.pid'));
  return text.kind === 'read' ? text.content.trim() === String(pid) : undefined;
}

function ownUid(proc: string): number | undefined {
  return statSync(`${proc}/self`, { throwIfNoEntry: false })?.uid;
}

function readTrusted(path: string, uid: number | undefined): string | null {
  const fd = isDirect(dirname(path)) ? openIfAllowed(path) : null;
  if (fd === null) return null;
  try {
    const stat = fstatSync(fd);
    const isTrusted = (stat.uid === 0 || stat.uid === uid) && (stat.mode & 0o022) === 0;
    if (!stat.isFile() || !isTrusted || stat.size > maxSizeBytes) return null;
    return readWhole(fd, stat.size);
  } finally {
    closeSync(fd);
  }
}

/** A symbolic link on the way could lead to the spec, and so to the secrets, of somebody else's container. */
function isDirect(directory: string): boolean {
  try {
    return realpathSync(directory) === directory;
  } catch {
    return false; // gone, or out of reach for this user
  }
}

function openIfAllowed(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null; // absent, not permitted, or a symbolic link: the spec is not known then
  }
}

function readWhole(fd: number, sizeBytes: number): string {
  const buffer = Buffer.alloc(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const got = readSync(fd, buffer, filled, sizeBytes - filled, null);
    if (got === 0) break;
    filled += got;
  }
  return buffer.toString('utf8', 0, filled);
}
