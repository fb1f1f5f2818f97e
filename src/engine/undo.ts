// How each change is put back: the one place, for a scope that is left and for a mender. Every undo is right if the effect never
// happened, and right a second time.
import { fstatSync, readFileSync, type BigIntStats } from 'node:fs';
import { Registers } from '../arch/registers.ts';
import type { Change } from '../journal/change.ts';
import { parseStat } from '../procfs/stat.ts';
import { closePassage } from '../remote/push-descriptor.ts';
import { Directories } from '../rootfs/directory.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import { signalBit, SIGCHLD, SIGKILL } from '../tracer/signals.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { threadState } from '../tracer/thread-states.ts';
import { childrenOf, innermostPid } from './descendants.ts';
import { descriptorStat } from './descriptors.ts';
import { endTracer } from './end-tracer.ts';
import { undoFile } from './files/undo.ts';
import type { Hold } from './hold.ts';
import { signalThread } from './remote-signal.ts';

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const WNOHANG = 1;
const __WALL = 0x4000_0000;

/** Writes the change down; the effect comes after, and leaving the scope undoes it while the old program is there. */
export function undoable(held: Hold, change: Change): Disposable {
  const id = held.journal.enter(change);
  return {
    [Symbol.dispose]: (): void => {
      if (held.image === 'new') return;
      undo(held, change);
      held.journal.strike(id);
    },
  };
}

export function undo(held: Hold, change: Change): void {
  switch (change.kind) {
    case 'stopped':
      held.release();
      return;
    case 'registers':
      held.giveBack(new Registers(Buffer.from(change.bytes, 'hex')));
      return;
    case 'bind':
      held.giveBack(registersAfterBind(held, change));
      return;
    case 'mapping':
      unmapScratch(held, change);
      return;
    case 'descriptorFlags':
      for (const fd of change.set) held.thread.call('fcntl', fd, F_SETFD, 0);
      for (const fd of change.cleared) held.thread.call('fcntl', fd, F_SETFD, FD_CLOEXEC);
      return;
    case 'child':
      reapNewChildren(held, change.before);
      if (change.room !== null) takeBackSigchld(held, BigInt(change.room));
      return;
    case 'holder':
      reapChild(held, change.pidInside);
      return;
    case 'mask':
      held.giveBackMask(BigInt(`0x${change.mask}`), BigInt(change.room));
      return;
    case 'tracer':
      endTracer(change);
      return;
    case 'passage':
      closePassage(held.thread, BigInt(change.room));
      return;
    case 'descriptor':
      // Another file of that number is not ours: ours has been closed already.
      if (fileIdentity(held.tracee.tid, change.fd) === change.file) held.thread.call('close', change.fd);
      return;
    case 'personality':
      held.thread.call('personality', change.value);
      return;
    case 'temporary':
    case 'file':
    case 'directory': {
      using root = new ProcessRoot(held.pid);
      using directories = new Directories(root);
      undoFile(directories, change);
    }
  }
}

/** It makes its bind again, unless the held socket is already under its number. */
function registersAfterBind({ tracee }: Hold, { fd, file, bytes }: Extract<Change, { kind: 'bind' }>): Registers {
  const registers = new Registers(Buffer.from(bytes, 'hex'));
  if (fileIdentity(tracee.tid, fd) === file) registers.completeCall(0n);
  return registers;
}

/** The nonce says that it is ours: the address alone could by now be anybody's. */
function unmapScratch(held: Hold, change: Extract<Change, { kind: 'mapping' }>): void {
  const address = BigInt(change.address);
  const nonce = held.thread.read(address, change.nonce.length / 2);
  if (typeof nonce === 'number') return;
  const isOurs = nonce.toString('hex') === change.nonce || nonce.every((byte) => byte === 0);
  if (!isOurs) return;
  // Without this line a mender that finds no nonce would take the old program for the new one.
  held.journal.mark('no-exec');
  held.thread.call('munmap', address, change.sizeBytes);
}

/**
 * A child that was killed after its exec sends a SIGCHLD that the program never asked for; it waits, since all signals are blocked.
 * It is given back if it may stand for another child's end.
 */
function takeBackSigchld(held: Hold, room: bigint): void {
  const [set, info, timeout] = [room, room + 16n, room + 160n];
  const bytes = Buffer.alloc(176);
  bytes.writeBigUInt64LE(signalBit(SIGCHLD));
  if (held.thread.write(set, bytes) < 0) return;
  if (held.thread.call('rt_sigtimedwait', set, info, timeout, 8) !== SIGCHLD) return;
  // siginfo_t on 64 bits: signo, errno, code, padding, pid
  const taken = held.thread.read(info, 20);
  const sender = typeof taken === 'number' ? 0 : taken.readInt32LE(16);
  const others = childrenOf(held.pid, held.tracee.tid);
  if (others.some((child) => innermostPid(child) === sender || threadState(child, child) === 'Z')) {
    signalThread(held, { pid: held.pid, tid: held.tracee.tid }, SIGCHLD);
  }
}

/** Children that came during the hold can only be ours: all threads of the target stand still. */
function reapNewChildren(held: Hold, before: readonly number[]): void {
  const known = new Set(before);
  for (const child of childrenOf(held.pid, held.tracee.tid).filter((pid) => !known.has(pid))) {
    const inside = innermostPid(child);
    if (inside === undefined || !sharesOurOrigin(child, held.pid)) continue;
    signalThread(held, { pid: child, tid: child }, SIGKILL);
    reapChild(held, inside);
  }
}

/**
 * Made by a clone of the target, not an orphan that the target inherits as init: those were not born during the hold. An engine whose
 * front was killed is such an orphan too; it leads a session of its own.
 */
function sharesOurOrigin(child: number, pid: number): boolean {
  try {
    const stat = parseStat(readFileSync(`/proc/${child}/stat`, 'utf8'));
    return (
      stat.ppid === pid &&
      stat.session === parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).session &&
      (stat.exitSignal === 0 || stat.state === 'Z' || stat.comm === readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
    );
  } catch {
    return false;
  }
}

/** Lets the target collect a child that was killed; it becomes a zombie a moment after its tracer has seen its end. */
export function reapChild(held: Hold, pidInside: number): void {
  const deadlineMs = performance.now() + 500;
  while (held.thread.call('wait4', pidInside, 0, WNOHANG | __WALL, 0) === 0 && performance.now() < deadlineMs)
    sleep(100_000);
}

/** Device and inode of what a descriptor stands for, a socket too; null when it is closed. */
export function fileIdentity(tid: number, fd: number): string | null {
  const stat = descriptorStat(tid, fd);
  return stat === null ? null : identityIn(stat);
}

/** The same of a descriptor of this process. */
export function ownFileIdentity(fd: number): string {
  return identityIn(fstatSync(fd, { bigint: true }));
}

function identityIn({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
