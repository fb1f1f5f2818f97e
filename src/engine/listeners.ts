// Listening sockets of a network namespace and of a process: whether a new program is up is told by them.
import { descriptorNumbers, descriptorTarget } from './descriptors.ts';
import { listSockets, socketInode } from './sockets.ts';

export interface Listener {
  /** `tcp`, `tcp6`, `unix-stream`, `unix-seqpacket`. */
  readonly protocol: string;
  /** `0.0.0.0:80`, `[::]:80`, a path, `@name`. */
  readonly address: string;
  readonly inode: number;
}

/** Every listening socket of the network namespace of a process. */
export function listListeners(tid: number): readonly Listener[] {
  return [...listSockets(tid)].flatMap(([inode, { protocol, local, state }]) =>
    state === 'LISTEN' ? [{ protocol, address: local, inode }] : [],
  );
}

/** The sockets that a process has open, by inode. */
export function socketsOf(pid: number): ReadonlySet<number> {
  return new Set(numbersOf(pid).flatMap((fd) => socketInode(descriptorTarget(pid, fd) ?? '') ?? []));
}

function numbersOf(pid: number): readonly number[] {
  try {
    return descriptorNumbers(pid);
  } catch {
    // It has ended, or is another user's.
    return [];
  }
}
