// The way into a hold: one thread is brought to a stop, and only then is it certain that it is the right process.
import { readFileSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { describeErrno, EPERM, ESRCH } from '../native/errno.ts';
import { containerIdIn, parseCgroup } from '../procfs/cgroup.ts';
import { parseStat } from '../procfs/stat.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { StopTimeout } from '../tracer/errors.ts';
import { seizeThread, type Seized } from '../tracer/hold.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { ThreadStates } from '../tracer/thread-states.ts';
import { Held, holdTimeout } from './held.ts';
import type { Hold } from './hold.ts';
import { survives } from './liveness.ts';
import type { Observed } from './observe.ts';
import { readFilters } from './seccomp.ts';

const patienceMs = 1_000;

/** A target that is about to be held. */
export interface Taken {
  readonly held: Hold;
  /** It was stopped by somebody before (SIGSTOP). */
  readonly alreadyStopped: boolean;
  /** To be done when every thread stands still. */
  onceStopped?(): void;
}

/** The same, by ptrace. */
export interface Seizure extends Taken {
  readonly held: Held;
}

/** One thread of the target at a stop, identity and seccomp filters looked at; nothing changed yet. */
export function seize(observed: Observed, journal: Journal): Seizure {
  const { target, tid } = observed;
  const states = new ThreadStates(target.pid);
  awaitInterruptible(target, states);
  const { tracee, alreadyStopped } = seizeOrExplain(target, tid);
  const held = new Held(target.pid, tracee, journal);
  held.states = states;
  try {
    checkIdentity(target);
    held.allows = readFilters(observed, tracee.tid);
    return { held, alreadyStopped };
  } catch (error) {
    held[Symbol.dispose]();
    throw error;
  }
}

/** A thread in state D takes no stop, and an execve would wait for it to die: better to wait before anything is stopped. */
export function awaitInterruptible(target: TargetProcess, states: ThreadStates): void {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    states.list();
    const waiting = states.look().indexOf('D');
    if (waiting < 0) return;
    if (performance.now() > deadlineMs)
      throw holdTimeout(target.name, `thread ${states.threads[waiting]} waits uninterruptibly (state D)`);
    sleep(1_000_000);
  }
}

function seizeOrExplain(target: TargetProcess, tid: number): Seized {
  try {
    const seized = seizeThread(target.pid, tid, performance.now() + patienceMs);
    if (typeof seized !== 'number') return seized;
    throw seizeRefused(target, seized);
  } catch (error) {
    throw error instanceof StopTimeout ? holdTimeout(target.name, error.message) : error;
  }
}

function seizeRefused(target: TargetProcess, errno: number): HotexecError {
  // A dying process answers EPERM, some time before it looks dead.
  if (errno === -ESRCH || !survives(target)) {
    return new HotexecError({
      code: 'target-lost',
      message: `${target.name}: process ${target.pid} ended before it could be held.`,
      hint: null,
    });
  }
  return new HotexecError({
    code: 'not-permitted',
    message: `${target.name}: the kernel does not let this user trace process ${target.pid}: ptrace answered ${describeErrno(errno)}. Nothing was touched.`,
    hint:
      errno === -EPERM
        ? 'it belongs to another user, is protected (Yama, an LSM, not dumpable), or has just got another tracer; `hotexec doctor TARGET` tells which'
        : null,
  });
}

/** The process cannot end and its pid cannot be reused as long as we hold it: from here on the answer stays true. */
export function checkIdentity(target: TargetProcess): void {
  const startTicks = parseStat(readFileSync(`/proc/${target.pid}/stat`, 'utf8')).startTicks;
  if (startTicks === target.startTicks && isSameContainer(target)) return;
  throw new HotexecError({
    code: 'target-changed',
    message: `${target.name}: pid ${target.pid} is no longer the process that was meant. It runs on unchanged.`,
    hint: 'name the target again',
  });
}

function isSameContainer({ pid, container }: TargetProcess): boolean {
  if (container === null) return true;
  const paths = parseCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).map((entry) => entry.path);
  return (containerIdIn(paths) ?? container.id) === container.id;
}
