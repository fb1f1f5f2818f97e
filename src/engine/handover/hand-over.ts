// The new program's own bind, answered with the socket that its predecessor had: it never knows. Whichever process of it calls, that
// process is held for about a millisecond, given the socket under the number it wanted to bind, and its bind answers 0.
import { closeSync, readFileSync, statSync } from 'node:fs';
import { arch } from '../../arch/arch.ts';
import { HotexecError } from '../../errors.ts';
import type { Journal } from '../../journal/journal.ts';
import { boundAddress, pullDescriptor, SOCKADDR_MAX } from '../../native/sockets.ts';
import { O_CLOEXEC, parseFdFlags } from '../../procfs/fdinfo.ts';
import { parseStatus } from '../../procfs/status.ts';
import { findSyscallInstruction } from '../../remote/instruction.ts';
import { StopTimeout } from '../../tracer/errors.ts';
import { readMemory } from '../../tracer/memory.ts';
import type { TracedProcess, Tracing } from '../../tracer/traced-process.ts';
import { Tracee } from '../../tracer/tracee.ts';
import { ProcessRoot } from '../../rootfs/open.ts';
import { pidsBelow } from '../descendants.ts';
import { Held } from '../held.ts';
import type { Observed } from '../observe.ts';
import { fetchDescriptors, pushDescriptor } from '../pushed-descriptor.ts';
import { readFilters } from '../seccomp.ts';
import { chooseScratch, mapScratch, roomIn } from '../stage.ts';
import { fileIdentity, ownFileIdentity } from '../undo.ts';
import {
  isForbidden,
  isOpenIn,
  kindOf,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type HeldListener,
  type HeldListeners,
} from './held-listeners.ts';
import { carryOptions, carryStatusFlags } from './options.ts';
import { answerZero } from './answer-call.ts';
import { AF_UNIX, parseSocketAddress, type SocketAddress } from './socket-address.ts';
import { acceptCalls, inodeOf, type CallStop } from './call-stop.ts';
import { listenerAt } from './held-paths.ts';

const { bind, connect, listen, unlink, unlinkat } = arch.syscalls;
const nothing = { path: Buffer.alloc(0), argv: [], environment: [] };

export interface HandOverPlace {
  readonly observed: Observed;
  readonly journal: Journal;
  /** Of everything that is traced. */
  readonly tracing: Tracing;
  readonly warn: (message: string) => void;
  /** A socket was handed over. */
  readonly given: (address: string) => void;
}

/** What is to be seen of a program that sockets are handed over to. */
export const handOverCalls: ReadonlySet<number> = new Set([bind, connect, listen, unlink, unlinkat]);

export class HandOver {
  readonly listeners: HeldListeners;
  readonly #place: HandOverPlace;
  /** By thread: what it was about to bind when it was made to give a copy; -errno where it could not. */
  readonly #fetched = new Map<number, { readonly fd: number; readonly copy: number }>();
  /** When the first socket was handed over (performance.now() ms); null: none was yet. */
  firstMs: number | null = null;

  constructor(listeners: HeldListeners, place: HandOverPlace) {
    this.listeners = listeners;
    this.#place = place;
  }

  /** At the entry of one of handOverCalls; the thread goes on in any case. */
  onCall(process: TracedProcess, stop: CallStop): void {
    switch (stop.call.number) {
      case bind:
        this.#onBind(process, stop);
        return;
      case listen:
        this.#onListen(process, stop);
        break;
      case connect:
        this.#onConnect(stop);
        break;
      case unlink:
      case unlinkat:
        // It makes room for its own bind, which will find the socket that is there.
        if (listenerAt(this.listeners, stop) !== undefined) answerZero(stop.tid);
        break;
    }
    process.go(stop.tid);
  }

  /**
   * Clients wait already. A program that serves in one thread while another one still prepares what is served (Go's http.Serve before the
   * handlers) does without harm what takes it microseconds; traced it takes milliseconds, and they would be answered too early.
   */
  #onListen(process: TracedProcess, { pid, tid, call }: CallStop): void {
    const listener = this.listeners.byInode(inodeOf(tid, Number(call.args[0])));
    if (listener?.state !== 'bound') return;
    listener.state = 'listening';
    process.goAlone({ pid, tid, until: acceptCalls });
  }

  /** It looks whether another of its kind serves already, and would give up: it is to find what a fresh start finds. */
  #onConnect({ pid, tid, call }: CallStop): void {
    const wanted = readAddress(tid, call.args[1], Number(call.args[2]));
    if (wanted === null) return;
    const met = this.#reachedBy({ pid, tid, fd: Number(call.args[0]) }, wanted);
    if (met !== undefined) this.listeners.giveUp(met, 'the new program looked whether somebody serves there');
  }

  #reachedBy({ pid, tid, fd }: Omit<Caller, 'theirs'>, wanted: SocketAddress): HeldListener | undefined {
    const theirs = pullDescriptor(pid, tid, fd);
    // Datagrams are sent to a listener by who wants to know their way, and mean nothing.
    if (isForbidden(theirs))
      return this.listeners.reachedBy(SOCK_STREAM, wanted) ?? this.listeners.reachedBy(SOCK_SEQPACKET, wanted);
    if (theirs < 0) return undefined;
    const { type } = kindOf(theirs, wanted);
    closeSync(theirs);
    return this.listeners.reachedBy(type, wanted);
  }

  #onBind(process: TracedProcess, stop: CallStop): void {
    const { pid, tid, call } = stop;
    const wanted = readAddress(tid, call.args[1], Number(call.args[2]));
    const fd = Number(call.args[0]);
    const theirs = wanted === null ? -1 : this.#copyOf({ pid, tid, fd });
    if (wanted === null || theirs < 0) {
      process.go(tid);
      return;
    }
    try {
      if (!mayBind(theirs, wanted)) return;
      const kind = kindOf(theirs, wanted);
      const listener = this.listeners.match(kind, wanted, (inode) => this.#isOpen(inode));
      if (listener === undefined) this.listeners.giveUpConflicting(kind, wanted);
      else if (isOfPath(wanted) && !hasPath(tid, wanted.host))
        this.listeners.giveUp(listener, 'its path was gone, and the new program made it anew');
      else this.#give(listener, { pid, tid, fd, theirs });
    } finally {
      closeSync(theirs);
      process.go(tid);
    }
  }

  /** -errno; without the right to pull it, the caller gives it itself, and comes to its bind again. */
  #copyOf({ pid, tid, fd }: Omit<Caller, 'theirs'>): number {
    const fetched = this.#fetched.get(tid);
    this.#fetched.delete(tid);
    if (fetched?.fd === fd) return fetched.copy;
    if (fetched !== undefined && fetched.copy >= 0) closeSync(fetched.copy);
    const pulled = pullDescriptor(pid, tid, fd);
    if (!isForbidden(pulled)) return pulled;
    let copy = pulled;
    try {
      this.#inHold({ pid, tid, fd }, null, (held, room) => {
        copy = fetchDescriptors(held, room, [fd])[0] ?? pulled;
      });
    } catch (error) {
      if (!(error instanceof HotexecError || error instanceof StopTimeout)) throw error;
    }
    this.#fetched.set(tid, { fd, copy });
    return pulled;
  }

  /** In a process of the new program. */
  #isOpen(inode: number): boolean {
    return isOpenIn(pidsBelow(this.#place.observed.target.pid), inode);
  }

  #give(listener: HeldListener, caller: Caller): void {
    const before = fileIdentity(caller.tid, caller.fd);
    carryOptions(caller.theirs, listener.fd);
    carryStatusFlags(caller.theirs, listener.fd);
    try {
      this.#put(listener, caller);
      listener.state = listener.kind.type === SOCK_DGRAM ? 'listening' : 'bound';
      listener.boundMs = performance.now();
      this.firstMs ??= listener.boundMs;
      this.#place.given(listener.address);
    } catch (error) {
      // Its bind is made as it would have been; without the held socket the kernel lets it.
      if (!(error instanceof HotexecError || error instanceof StopTimeout)) throw error;
      if (fileIdentity(caller.tid, caller.fd) === before) this.listeners.giveUp(listener, error.message);
      this.#place.warn(`${listener.address} was not handed over: ${error.message}`);
    }
  }

  /** The socket under the caller's own number. */
  #put(listener: HeldListener, caller: Caller): void {
    const { tid, fd } = caller;
    const flags = closesOnExec(tid, fd) ? O_CLOEXEC : 0;
    this.#inHold(caller, listener, (held, room) => {
      if (!held.allows('dup3', fd, fd + 1, flags)) throw notPossible('its seccomp filter forbids dup3');
      using pushed = pushDescriptor(held, room, listener.fd);
      const answer = held.thread.call('dup3', pushed.fd, fd, flags);
      if (answer < 0) throw notPossible(`dup3 answered ${answer}`);
    });
  }

  /** Whatever happens in here, the caller's bind has either been answered (it has the listener's socket) or is made again. */
  #inHold(
    { pid, tid, fd }: Omit<Caller, 'theirs'>,
    listener: HeldListener | null,
    work: (held: Held, room: bigint) => void,
  ): void {
    const { observed, journal, tracing } = this.#place;
    const instruction = findSyscallInstruction(tid);
    if (instruction === undefined) throw notPossible('it has no syscall instruction in its code');
    const scratch = chooseScratch(tid, nothing);
    const tracee = new Tracee(tid);
    const held = new Held(pid, tracee, journal);
    held.staysTraced = tracing;
    held.allows = readFilters({ ...observed, status: parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8')) }, tid);
    // From here on it makes its bind again, should nobody answer it.
    const registers = tracee.registers();
    registers.rewindCall(bind);
    tracee.setRegisters(registers);
    using going = held;
    using _stopped = going.stopAll(false);
    using _registers = going.borrowInCall(instruction, {
      kind: 'bind',
      tid,
      fd,
      file: listener === null ? '' : ownFileIdentity(listener.fd),
      bytes: registers.bytes.toString('hex'),
    });
    using _scratch = mapScratch(going, scratch);
    work(going, roomIn(scratch));
  }
}

interface Caller {
  readonly pid: number;
  readonly tid: number;
  /** What it wants to bind. */
  readonly fd: number;
  /** The same socket, open here. */
  readonly theirs: number;
}

function readAddress(tid: number, address: bigint, sizeBytes: number): SocketAddress | null {
  if (sizeBytes < 2 || sizeBytes > SOCKADDR_MAX) return null;
  const bytes = readMemory(tid, address, sizeBytes);
  const parsed = typeof bytes === 'number' ? null : parseSocketAddress(bytes);
  return parsed !== null && (parsed.family === AF_UNIX || parsed.port !== 0) ? parsed : null;
}

/** What the kernel refuses is refused: an address of another family (EAFNOSUPPORT), and a second one (EINVAL). */
function mayBind(fd: number, wanted: SocketAddress): boolean {
  const bound = boundAddress(fd);
  if (typeof bound === 'number' || bound.readUInt16LE(0) !== wanted.family) return false;
  // Of one that is not bound: the family alone (unix(7)), or port 0 (ip(7)).
  return wanted.family === AF_UNIX ? bound.length <= 2 : parseSocketAddress(bound)?.port === 0;
}

function isOfPath({ family, host }: SocketAddress): boolean {
  return family === AF_UNIX && !host.startsWith('\0');
}

/** As the caller would find it. A program's shutdown, or its entrypoint, may have removed it by a child. */
function hasPath(tid: number, host: string): boolean {
  const path = Buffer.from(host, 'latin1').toString();
  if (!path.startsWith('/'))
    return statSync(`/proc/${tid}/cwd/${path}`, { throwIfNoEntry: false })?.isSocket() === true;
  using root = new ProcessRoot(tid);
  const stat = root.stat(path);
  return typeof stat !== 'number' && stat.isSocket();
}

function closesOnExec(tid: number, fd: number): boolean {
  return (parseFdFlags(readFileSync(`/proc/${tid}/fdinfo/${fd}`, 'utf8')) & O_CLOEXEC) !== 0;
}

function notPossible(why: string): HotexecError {
  return new HotexecError({ code: 'remote-call-failed', message: why, hint: null });
}
