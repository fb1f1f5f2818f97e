// The addresses a program serves: listening sockets that it or its descendants have open. Whether a new program is up is told by them.
import { descriptorNumbers, descriptorTarget } from './descriptors.ts';
import { listSockets, socketInode } from './sockets.ts';

export interface Listener {
  /** `tcp`, `tcp6`, `unix-stream`, `unix-seqpacket`. */
  readonly protocol: string;
  /** `0.0.0.0:80`, `[::]:80`, a path, `@name`. */
  readonly address: string;
  readonly inode: number;
}

/** Of these processes; the first one's network namespace is looked at. */
export function listListeners(pids: readonly number[]): readonly Listener[] {
  const listening = allListeners(pids[0] ?? 0);
  if (listening.size === 0) return [];
  const inodes = new Set(pids.flatMap((pid) => socketsOf(pid)));
  return [...listening.values()].filter(({ inode }) => inodes.has(inode));
}

/** Every listening socket of the network namespace of a process, by inode. */
export function allListeners(tid: number): ReadonlyMap<number, Listener> {
  const found = new Map<number, Listener>();
  for (const [inode, { protocol, local, state }] of listSockets(tid)) {
    if (state === 'LISTEN') found.set(inode, { protocol, address: local, inode });
  }
  return found;
}

function socketsOf(pid: number): readonly number[] {
  return numbersOf(pid).flatMap((fd) => {
    const inode = socketInode(descriptorTarget(pid, fd) ?? '');
    return inode === null ? [] : [inode];
  });
}

function numbersOf(pid: number): readonly number[] {
  try {
    return descriptorNumbers(pid);
  } catch {
    // It has ended, or is another user's.
    return [];
  }
}
