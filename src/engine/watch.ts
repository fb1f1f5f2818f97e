// Watching a program that runs: one loop over its stops, until it is settled, its end is caught, somebody stops it, or it is gone.
import { readFileSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { readText } from '../procfs/read.ts';
import { parseStatus } from '../procfs/status.ts';
import type { Probation } from '../protocol/result.ts';
import { threadIds, threadState } from '../tracer/hold.ts';
import { SIGCHLD } from '../tracer/signals.ts';
import type { ProcessStop, TracedProcess } from '../tracer/traced-process.ts';
import { innermostPid, listDescendants } from './descendants.ts';
import { isFailedExit, isHarmless, meaningOf, type Dispositions } from './ends.ts';

/** A thread that stands where the program would end, and what it is about to do. */
export type CaughtThread =
  | { readonly kind: 'exit'; readonly tid: number; readonly call: number; readonly code: number }
  | { readonly kind: 'signal'; readonly tid: number; readonly signal: number }
  /** It was made to stop: the program did not end, it did not answer. */
  | { readonly kind: 'silent'; readonly tid: number };

export type WatchEnd =
  | { readonly kind: 'settled'; readonly end: Probation['end'] }
  | { readonly kind: 'failed'; readonly caught: CaughtThread }
  /** Somebody else stops it; it has the signal, and is let go. */
  | { readonly kind: 'stopped'; readonly signal: number }
  /** It has ended, and nothing could be done: SIGKILL, the OOM killer, a seccomp filter. Nulls: not known. */
  | { readonly kind: 'gone'; readonly exitCode: number | null; readonly signal: number | null };

export interface Watched {
  readonly process: TracedProcess;
  /** The old program listened: its successor is not meant to end. */
  readonly listened: boolean;
  readonly stopSignals: readonly number[];
  /** Processes of hotexec below the target, which are none of its children. */
  readonly ours: ReadonlySet<number>;
  /** Ended meanwhile: its parent is not to hear of it. */
  readonly holderPidInside: number | null;
  /** Looked at every few milliseconds. */
  settle(nowMs: number): Probation['end'] | 'silent' | null;
  /** Whether the next stops should be all system calls, or signals alone. */
  wantsSyscalls(): boolean;
}

/** How long a look may be put off, ms. */
const lookEveryMs = 5;
const releaseDeadlineMs = 2_000;

export function watch(watched: Watched): WatchEnd {
  const { process } = watched;
  for (;;) {
    const nowMs = performance.now();
    process.mode = watched.wantsSyscalls() ? 'syscalls' : 'signals';
    const settled = watched.settle(nowMs);
    if (settled === 'silent') {
      const tid = process.stopOne(nowMs + releaseDeadlineMs);
      return { kind: 'failed', caught: { kind: 'silent', tid } };
    }
    if (settled !== null) {
      process.release(nowMs + releaseDeadlineMs);
      return { kind: 'settled', end: settled };
    }
    const end = answer(process.next(nowMs + lookEveryMs), watched);
    if (end !== null) return end;
  }
}

function answer(stop: ProcessStop, watched: Watched): WatchEnd | null {
  switch (stop.kind) {
    case 'timeout':
      return null;
    case 'ended':
      return { kind: 'gone', exitCode: stop.exitCode, signal: stop.signal };
    case 'entry':
      return answerExit(stop, watched);
    case 'signal':
      return answerSignal(stop, watched);
  }
}

function answerExit({ tid, call }: Extract<ProcessStop, { kind: 'entry' }>, watched: Watched): WatchEnd | null {
  const { process, listened, ours } = watched;
  const isLast = call.number === arch.syscalls.exit_group || isLastThread(process, tid);
  if (!isLast) {
    process.goToItsEnd(tid);
    return null;
  }
  const code = Number(call.args[0] & 0xffn);
  const children = listDescendants(process.pid, ours).filter((child) => !child.spared && child.state !== 'Z');
  if (isFailedExit(code, { listened, leavesChildren: children.length > 0 }))
    return { kind: 'failed', caught: { kind: 'exit', tid, call: call.number, code } };
  process.release(performance.now() + releaseDeadlineMs, { tid, signal: 0 });
  return { kind: 'settled', end: 'ended' };
}

function answerSignal(stop: Extract<ProcessStop, { kind: 'signal' }>, watched: Watched): WatchEnd | null {
  const { process } = watched;
  const { tid, signal, info } = stop;
  if (isOfHolder(stop, watched)) {
    process.go(tid);
    return null;
  }
  // Go and Java are sent these many times a second.
  if (isHarmless(signal)) {
    process.go(tid, signal);
    return null;
  }
  switch (meaningOf(signal, info, dispositions(watched))) {
    case 'deliver':
      process.go(tid, signal);
      return null;
    case 'fatal':
      return { kind: 'failed', caught: { kind: 'signal', tid, signal } };
    case 'stop':
      process.release(performance.now() + releaseDeadlineMs, { tid, signal });
      return { kind: 'stopped', signal };
  }
}

/** The end of the holder is none of the new program's business; if another child waits as a zombie, the signal may stand for it. */
function isOfHolder(
  { signal, info }: Extract<ProcessStop, { kind: 'signal' }>,
  { process, holderPidInside, ours }: Watched,
): boolean {
  if (signal !== SIGCHLD || holderPidInside === null || info.senderPid !== holderPidInside) return false;
  return !listDescendants(process.pid, ours).some(
    (child) => child.state === 'Z' && child.ppid === process.pid && child.pidInside !== holderPidInside,
  );
}

function dispositions({ process: { pid }, stopSignals, ours }: Watched): Dispositions {
  const { sigCgt, sigIgn } = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const inside = innermostPid(pid);
  return {
    caught: sigCgt ?? 0n,
    ignored: sigIgn ?? 0n,
    isInit: inside === 1,
    family: new Set([inside ?? pid, ...listDescendants(pid, ours).map((child) => child.pidInside)]),
    stopSignals,
  };
}

/** exit(2) ends one thread; of the last one that lives it ends the process. Others that were let go to theirs may not be there yet. */
function isLastThread(process: TracedProcess, tid: number): boolean {
  const { pid } = process;
  if (readText(`/proc/${pid}/task/${tid}/stat`).kind !== 'read') return false;
  return threadIds(pid).every(
    (other) => other === tid || process.isLeaving(other) || 'ZX'.includes(threadState(pid, other)),
  );
}
