// Listening sockets of a network namespace and of a process: whether a new program is up is told by them.
import { descriptorTarget, openDescriptors } from './descriptors.ts';
import { listListening, socketInode } from './sockets.ts';

export interface Listener {
  /** `tcp`, `tcp6`, `unix-stream`, `unix-seqpacket`. */
  readonly protocol: string;
  /** `0.0.0.0:80`, `[::]:80`, a path, `@name`. */
  readonly address: string;
  readonly inode: number;
}

/** Every listening socket of the network namespace of a process. */
export function listListeners(tid: number): readonly Listener[] {
  return [...listListening(tid)].map(([inode, { protocol, local }]) => ({ protocol, address: local, inode }));
}

/** The sockets that a process has open: by inode, a descriptor of each. */
export function socketsOf(pid: number): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const fd of openDescriptors(pid)) {
    const inode = socketInode(descriptorTarget(pid, fd) ?? '');
    if (inode !== null && !found.has(inode)) found.set(inode, fd);
  }
  return found;
}
