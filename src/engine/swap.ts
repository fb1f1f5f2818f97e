// The swap: descriptors marked, execve made. When execve succeeds there is no way back; until then everything is in the journal.
import { HotexecError } from '../errors.ts';
import { describeErrno, EBADF } from '../native/errno.ts';
import { leaveCpuToEnds, withoutLoad } from '../tracer/scheduling.ts';
import { killTracee } from '../tracer/signals.ts';
import { awaitDeath } from './children.ts';
import { childrenOf } from './descendants.ts';
import { listDescriptors, type Descriptor } from './descriptors.ts';
import type { ExecCall } from './exec-call.ts';
import type { Held } from './held.ts';
import type { Hold } from './hold.ts';
import { collect, execRefused, killChild, mayHaveChild, spawnSharing } from './prove.ts';
import type { Observed } from './observe.ts';
import type { Scratch } from './stage.ts';

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const CLOSE_RANGE_CLOEXEC = 4;
const lastDescriptor = 0xffff_ffff;

export interface DescriptorPlan {
  /** FD_CLOEXEC to be set on these. */
  readonly set: readonly number[];
  /** And cleared on these: a Node program marks its own stdio, and would lose its log stream. */
  readonly cleared: readonly number[];
}

/** 0, 1, 2 and what the user named stay; all else is closed by the exec, as a fresh start would have it. Pure. */
export function planDescriptors(descriptors: readonly Descriptor[], keep: readonly number[]): DescriptorPlan {
  const stays = new Set([0, 1, 2, ...keep]);
  return {
    set: descriptors.filter((entry) => !stays.has(entry.fd) && !entry.closeOnExec).map((entry) => entry.fd),
    cleared: descriptors.filter((entry) => stays.has(entry.fd) && entry.closeOnExec).map((entry) => entry.fd),
  };
}

/** Read inside the hold: this is exactly what undoing must bring back. */
export function markDescriptors(held: Hold, keep: readonly number[], call: ExecCall): Disposable {
  // The program's own file is closed by the exec, even where a free number such as 0 was the next.
  const descriptors = listDescriptors(held.tracee.tid).filter((entry) => entry.fd !== call.fd);
  const plan = planDescriptors(descriptors, keep);
  const change = held.change({ kind: 'descriptorFlags', ...plan });
  try {
    for (const fd of plan.cleared) setFlag(held, fd, 0);
    if (plan.set.length > 0 && !(keep.length === 0 && closeRangeOnExec(held))) {
      for (const fd of plan.set) setFlag(held, fd, FD_CLOEXEC);
    }
  } catch (error) {
    change[Symbol.dispose]();
    throw error;
  }
  return change;
}

/** A stream that the exec would close, or a port that it would not, is reason enough not to exec. */
function setFlag({ thread }: Hold, fd: number, flag: number): void {
  const answer = thread.call('fcntl', fd, F_SETFD, flag);
  // Closed by a process that shares the descriptors (CLONE_FILES).
  if (answer >= 0 || answer === -EBADF) return;
  throw new HotexecError({
    code: thread.may('fcntl', fd, F_SETFD, flag) ? 'remote-call-failed' : 'seccomp-forbids',
    message: `close-on-exec of descriptor ${fd} could not be ${flag === 0 ? 'cleared' : 'set'} in the target: ${describeErrno(answer)}. It runs on unchanged.`,
    hint: null,
  });
}

/** One call for all of them; kernels before 5.11 and old seccomp profiles do not know it. */
function closeRangeOnExec(held: Hold): boolean {
  return held.thread.call('close_range', 3, lastDescriptor, CLOSE_RANGE_CLOEXEC) === 0;
}

/** A child that keeps the old memory alive across the exec. */
export interface Holder extends Disposable {
  readonly pid: number;
  readonly pidInside: number;
  /** Ends it: the memory is freed now, outside of any hold. Returns when it is dead; its parent has not been told. */
  kill(): void;
  /** Lets its parent know: from then on it is a zombie of the target. */
  collect(): void;
}

/**
 * With a holder, freeing the old memory (84 us a MiB, measured) is not part of the hold. Null when the target may not have a child: the
 * exec then takes longer and is right all the same. Disposing ends it while the old program is there.
 */
export function startHolder(held: Held, scratch: Scratch): Holder | null {
  if (!mayHaveChild(held, scratch) || !held.thread.may('close_range', 0, lastDescriptor, 0)) return null;
  const change = held.change({ kind: 'child', before: childrenOf(held.pid, held.tracee.tid), room: null });
  const child = spawnSharing(held, scratch);
  if (typeof child === 'number') {
    change[Symbol.dispose]();
    return null;
  }
  // It has copies of all descriptors: ports, locks and files would stay taken as long as it lives.
  child.thread.call('close_range', 0, lastDescriptor, 0);
  held.journal.enter({ kind: 'holder', pidInside: child.pidInside });
  return {
    pid: child.pid,
    pidInside: child.pidInside,
    kill: () => {
      killTracee(child.pid);
      awaitDeath([child]);
    },
    collect: () => collect(child),
    [Symbol.dispose]: (): void => {
      if (held.image === 'new') return;
      killChild(child);
      change[Symbol.dispose]();
    },
  };
}

/** Makes the exec. Returns at the new program's exec exit, before its first instruction; throws exec-refused. */
export function exec(held: Hold, { name, args }: ExecCall): void {
  const { thread, tracee, journal } = held;
  const startedMs = performance.now();
  journal.mark('exec');
  tracee.expectExec(held.pid);
  const end = withoutLoad(held.threads, () => {
    thread.enter(name, ...args);
    return thread.advance(() => leaveCpuToEnds(held.threads));
  });
  if (end !== 'exec') {
    const errno = thread.result();
    journal.mark('no-exec');
    thread.report(name, args, errno, startedMs);
    throw execRefused(describeErrno(errno));
  }
  held.image = 'new';
  thread.report(name, args, 0, startedMs);
  tracee.resumeToSyscall();
  while (tracee.next(performance.now() + 5_000).kind !== 'syscall') tracee.resumeToSyscall();
}

/** Not what a fresh start has; one that the spec names is left alone. */
export function hasOddPersonality({ target, environment }: Observed): boolean {
  return target.container !== null && (target.spec?.personality ?? null) === null && environment.personality !== 0;
}

/** Personality bits (no address randomisation, …) take effect in the exec, so these alone are reset before it. */
export function resetPersonality(held: Hold, observed: Observed): Disposable | null {
  if (!hasOddPersonality(observed)) return null;
  const before = observed.environment.personality;
  if (!held.thread.may('personality', 0)) return null;
  const change = held.change({ kind: 'personality', value: before });
  held.thread.call('personality', 0);
  return change;
}
