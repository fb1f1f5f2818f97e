// Unix sockets have a path, and programs unlink it before they bind and when they stop. As long as the socket is held the path stays:
// clients find it at any moment.
import { readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { arch } from '../../arch/arch.ts';
import { readMemory } from '../../tracer/memory.ts';
import { descriptorTarget } from '../descriptors.ts';
import type { CallStop } from './call-stop.ts';
import type { HeldListener, HeldListeners } from './held-listeners.ts';
import { AF_UNIX } from './socket-address.ts';

const PATH_MAX = 4096;
const AT_FDCWD = -100;
const pageSizeBytes = 4096n;

/** The held socket whose path an unlink or unlinkat is about. */
export function listenerAt({ listeners }: HeldListeners, { tid, call }: CallStop): HeldListener | undefined {
  const paths = listeners.filter(({ bound, state }) => bound.family === AF_UNIX && state !== 'given-up');
  if (paths.length === 0) return undefined;
  const isAt = call.number === arch.syscalls.unlinkat;
  const path = readPath(tid, isAt ? call.args[1] : call.args[0]);
  if (path === null) return undefined;
  const directory = isAt ? Number(BigInt.asIntN(32, call.args[0])) : AT_FDCWD;
  const cwd = link(`/proc/${tid}/cwd`);
  const from = directory === AT_FDCWD ? cwd : (descriptorTarget(tid, directory) ?? '/');
  return paths.find(({ bound }) => resolve(cwd, bound.host) === resolve(from, path));
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '/';
  }
}

/** A string of the program; read to the end of its page first, for what lies behind need not be there. */
function readPath(tid: number, address: bigint): string | null {
  let text = '';
  for (let at = address; text.length < PATH_MAX;) {
    const sizeBytes = Number(pageSizeBytes - (at % pageSizeBytes));
    const bytes = readMemory(tid, at, sizeBytes);
    if (typeof bytes === 'number') return null;
    const end = bytes.indexOf(0);
    text += bytes.subarray(0, end < 0 ? bytes.length : end).toString('latin1');
    if (end >= 0) return text;
    at += BigInt(sizeBytes);
  }
  return null;
}
