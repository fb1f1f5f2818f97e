// The sockets that the old program serves, held open by this engine too: the kernel goes on queueing connections, whatever becomes of the
// program, until the new one has bound the same address and been given the socket.
import { closeSync, readFileSync } from 'node:fs';
import { HotexecError } from '../../errors.ts';
import { describeErrno, EBADF, ENOSYS, EPERM } from '../../native/errno.ts';
import { boundAddress, pullDescriptor, readNumberOption } from '../../native/sockets.ts';
import { threadsOf } from '../../tracer/hold.ts';
import { threadState } from '../../tracer/thread-states.ts';
import type { ListenerResult } from '../../protocol/result.ts';
import { descriptorTarget, openDescriptors } from '../descriptors.ts';
import type { Hold } from '../hold.ts';
import { socketsOf, type Listener } from '../listeners.ts';
import { fetchDescriptors } from '../pushed-descriptor.ts';
import { findSockets } from '../sockets.ts';
import {
  AF_INET6,
  isReachedBy,
  isSameAddress,
  mayConflict,
  parseSocketAddress,
  type SocketAddress,
} from './socket-address.ts';

const SOL_SOCKET = 1;
const SO_TYPE = 3;
// linux/net.h
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SO_PROTOCOL = 38;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** What a bind must have in common with a held socket to be given it. */
export interface SocketKind {
  readonly type: number;
  readonly protocol: number;
  /** Of AF_INET6 and any address: it takes no IPv4. With an address of its own it never does (net/ipv6/af_inet6.c __inet6_bind). */
  readonly v6Only: boolean;
}

export interface HeldListener {
  /** Here, in the engine. */
  readonly fd: number;
  readonly inode: number;
  readonly kind: SocketKind;
  readonly bound: SocketAddress;
  readonly name: string;
  readonly address: string;
  /** `bound`: the new program has it; `listening`: and has called listen, or needs not (UDP). */
  state: 'waiting' | 'bound' | 'listening' | 'given-up';
  /** When the new program was given it (performance.now() ms); null: not yet. */
  boundMs: number | null;
  /** The old program has removed its path, as far as it knows. */
  isUnlinked: boolean;
  /** Why it was given up. */
  why: string | null;
  /** The new program has it anyway, as a descriptor that stays open: it may bind it once more, and need not. */
  readonly kept: boolean;
}

/** A socket that the old program serves, and the descriptor by which one of its processes has it. */
export interface ServedSocket {
  readonly pid: number;
  readonly fd: number;
  readonly inode: number;
  readonly name: string;
  readonly address: string;
  /** False: a UDP socket. */
  readonly listens: boolean;
  readonly kept: boolean;
}

/** Listening TCP and Unix sockets, and UDP sockets on a port that was chosen; each once, whichever processes have it. `kept`: inodes. */
export function listServed(pids: readonly number[], kept: ReadonlySet<number> = new Set()): readonly ServedSocket[] {
  const open = openSockets(pids);
  const sockets = findSockets(pids[0] ?? 0, new Set(open.keys()));
  return [...open].flatMap(([inode, place]) => {
    const socket = sockets.get(inode);
    if (socket === undefined) return [];
    const { protocol: name, local: address, remote, state } = socket;
    const listens = state === 'LISTEN';
    const serves = listens || (name.startsWith('udp') && remote === null && isChosenPort(address));
    return serves ? [{ ...place, inode, name, address, listens, kept: kept.has(inode) }] : [];
  });
}

/** By inode; of a socket that several have, the first that has it. */
function openSockets(pids: readonly number[]): ReadonlyMap<number, Pick<ServedSocket, 'pid' | 'fd'>> {
  const found = new Map<number, Pick<ServedSocket, 'pid' | 'fd'>>();
  for (const pid of pids) {
    for (const [inode, fd] of socketsOf(pid)) if (!found.has(inode)) found.set(inode, { pid, fd });
  }
  return found;
}

export function isOpenIn(pids: readonly number[], inode: number): boolean {
  const link = `socket:[${inode}]`;
  const has = (tid: number): boolean => openDescriptors(tid).some((fd) => descriptorTarget(tid, fd) === link);
  // A main thread that has left before the others shows none.
  return pids.some((pid) => has(pid) || ('ZX'.includes(threadState(pid, pid)) && threadsOf(pid).some(has)));
}

/** A port out of the range from which the kernel takes one for a client serves nobody. */
function isChosenPort(address: string): boolean {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const [low = 32_768, high = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number);
  return port > 0 && (port < low || port > high);
}

export class HeldListeners implements Disposable {
  readonly #listeners: HeldListener[] = [];
  /** What could not be kept, and why. */
  readonly #missed: Missed[] = [];
  #areClosed = false;

  private constructor(served: readonly ServedSocket[]) {
    for (const socket of served) this.#keep(socket, pullDescriptor(socket.pid, socket.pid, socket.fd));
  }

  get listeners(): readonly HeldListener[] {
    return this.#listeners;
  }

  /** Takes copies; nothing about the target changes. */
  static keep(served: readonly ServedSocket[]): HeldListeners {
    return new HeldListeners(served);
  }

  static none(): HeldListeners {
    return new HeldListeners([]);
  }

  #keep(socket: ServedSocket, copy: number): void {
    const held = heldOf(socket, copy);
    if (typeof held === 'string') this.#missed.push({ socket, why: held, isForbidden: isForbidden(copy) });
    else this.#listeners.push(held);
  }

  /**
   * In a hold, what hotexec was not allowed to pull, by the held process's own doing: of its children that cannot be had. `room`: as for
   * fetchDescriptors. What is refused here too stays missed.
   */
  fetch(held: Hold, room: bigint): void {
    const forbidden = this.#missed.filter((entry) => entry.isForbidden && entry.socket.pid === held.pid);
    if (forbidden.length === 0) return;
    for (const { socket, copy } of fetchAll(held, room, forbidden)) {
      this.#missed.splice(
        this.#missed.findIndex((entry) => entry.socket === socket),
        1,
      );
      this.#keep(socket, copy);
    }
  }

  /** The one that a bind asks for; of several on one address the first that waits, or that has been given and closed again. */
  match(kind: SocketKind, bound: SocketAddress, isOpen: (inode: number) => boolean): HeldListener | undefined {
    const same = this.listeners.filter(
      (listener) => listener.state !== 'given-up' && isSameSocket(listener, kind, bound),
    );
    return same.find(({ state }) => state === 'waiting') ?? same.find(({ inode }) => !isOpen(inode));
  }

  /** A waiting one that a connection to the address, by a socket of this type, comes to for sure. */
  reachedBy(type: number, address: SocketAddress): HeldListener | undefined {
    return this.listeners.find(
      ({ state, kind, bound }) => state === 'waiting' && kind.type === type && isReachedBy(bound, address),
    );
  }

  byInode(inode: number): HeldListener | undefined {
    return this.listeners.find((listener) => listener.inode === inode);
  }

  /** Held sockets that would make the kernel refuse this bind are let go: what waits in them is lost, and the program goes its way. */
  giveUpConflicting(kind: SocketKind, bound: SocketAddress): void {
    for (const listener of this.listeners) {
      if (listener.state === 'waiting' && listener.kind.type === kind.type && mayConflict(listener.bound, bound))
        this.giveUp(listener, 'the new program bound another socket there');
    }
  }

  /** A program may see that its socket listens already (SO_ACCEPTCONN), as this one always has, and save itself the call (haproxy). */
  takeAsListening(boundBeforeMs: number): void {
    for (const listener of this.listeners)
      if (listener.state === 'bound' && (listener.boundMs ?? Number.POSITIVE_INFINITY) < boundBeforeMs)
        listener.state = 'listening';
  }

  /** Before a program goes on that binds without anybody answering. */
  giveUpAll(): void {
    for (const listener of this.listeners)
      if (listener.state !== 'given-up') this.giveUp(listener, 'the new program binds by itself');
  }

  giveUp(listener: HeldListener, why: string): void {
    closeSync(listener.fd);
    listener.state = 'given-up';
    listener.why = why;
  }

  /** What a program listens on that has been given all of them. */
  expected(): readonly Listener[] {
    return this.listeners
      .filter(({ kind, state, kept }) => kind.type !== SOCK_DGRAM && state !== 'given-up' && !kept)
      .map(({ name, address, inode }) => ({ protocol: name, address, inode }));
  }

  get isComplete(): boolean {
    return this.listeners.every(
      ({ state, kept }) => state === 'listening' || state === 'given-up' || (state === 'waiting' && kept),
    );
  }

  /** The new program has what it has: the copies end before it goes on untraced, and may close and bind again. */
  letGo(): void {
    if (this.#areClosed) return;
    this.#areClosed = true;
    for (const listener of this.listeners) if (listener.state !== 'given-up') closeSync(listener.fd);
  }

  /** For the next program: what the last one was given is still held. */
  again(): void {
    for (const listener of this.listeners) if (listener.state !== 'given-up') listener.state = 'waiting';
  }

  results(): readonly ListenerResult[] {
    const held = this.listeners.map((listener): ListenerResult => {
      const { state, kept } = listener;
      const handedOver = state === 'bound' || state === 'listening' || (state === 'waiting' && kept);
      return handedOver
        ? { protocol: listener.name, address: listener.address, handedOver, why: null }
        : notHandedOver(listener, listener.why ?? 'it was not claimed');
    });
    return [...held, ...this.#missed.map(({ socket, why }) => notHandedOver(socket, why))];
  }

  [Symbol.dispose](): void {
    this.letGo();
  }
}

export function notHandedOver({ name, address }: Pick<ServedSocket, 'name' | 'address'>, why: string): ListenerResult {
  return { protocol: name, address, handedOver: false, why };
}

interface Missed {
  readonly socket: ServedSocket;
  readonly why: string;
  /** By a seccomp profile, or a kernel before 5.6. */
  readonly isForbidden: boolean;
}

/** The answer of pullDescriptor to who may have no descriptor of anybody. */
export function isForbidden(answer: number): boolean {
  return answer === -EPERM || answer === -ENOSYS;
}

function fetchAll(
  held: Hold,
  room: bigint,
  missed: readonly Missed[],
): readonly { readonly socket: ServedSocket; readonly copy: number }[] {
  try {
    const copies = fetchDescriptors(
      held,
      room,
      missed.map(({ socket }) => socket.fd),
    );
    return missed.map(({ socket }, index) => ({ socket, copy: copies[index] ?? -EBADF }));
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return [];
  }
}

function heldOf({ inode, name, address, kept }: ServedSocket, pulled: number): HeldListener | string {
  if (pulled < 0) return `pidfd_getfd answered ${describeErrno(pulled)}`;
  const bytes = boundAddress(pulled);
  const bound = typeof bytes === 'number' ? null : parseSocketAddress(bytes);
  if (bound === null) {
    closeSync(pulled);
    return 'its address is of no kind that hotexec knows';
  }
  return {
    fd: pulled,
    inode,
    kind: kindOf(pulled, bound),
    bound,
    name,
    address,
    state: 'waiting',
    boundMs: null,
    isUnlinked: false,
    why: null,
    kept,
  };
}

/** Of a socket of ours that is, or is about to be, bound to the address. */
export function kindOf(fd: number, { family, isWildcard }: SocketAddress): SocketKind {
  return {
    type: readNumberOption(fd, SOL_SOCKET, SO_TYPE),
    protocol: readNumberOption(fd, SOL_SOCKET, SO_PROTOCOL),
    v6Only: family === AF_INET6 && isWildcard && readNumberOption(fd, IPPROTO_IPV6, IPV6_V6ONLY) === 1,
  };
}

function isSameSocket(held: HeldListener, kind: SocketKind, bound: SocketAddress): boolean {
  const { type, protocol, v6Only } = held.kind;
  return type === kind.type && protocol === kind.protocol && v6Only === kind.v6Only && isSameAddress(held.bound, bound);
}
