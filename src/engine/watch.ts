// Watching a program that runs: one loop over its stops, until it is settled, its end is caught, somebody stops it, or it is gone.
import { readFileSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { readText } from '../procfs/read.ts';
import { parseStatus } from '../procfs/status.ts';
import type { Probation } from '../protocol/result.ts';
import { SIGCHLD } from '../tracer/signals.ts';
import { threadIds, threadState } from '../tracer/thread-states.ts';
import type { ProcessStop, TracedProcess } from '../tracer/traced-process.ts';
import type { SignalInfo } from '../tracer/ptrace/requests.ts';
import { innermostPid, listDescendants } from './descendants.ts';
import { QuietExit } from './quiet-exit.ts';
import { isHarmless, meaningOf, type Dispositions } from './ends.ts';
import { sentToMainThread } from './main-thread.ts';

/** A thread that stands where the program would end, and what it is about to do. */
export type CaughtThread =
  | { readonly kind: 'exit'; readonly tid: number; readonly call: number; readonly code: number }
  /** Right before the call, in the program's own code. */
  | { readonly kind: 'before-exit'; readonly tid: number; readonly code: number }
  | { readonly kind: 'signal'; readonly tid: number; readonly signal: number }
  /** It was made to stop: the program did not end, it did not answer. */
  | { readonly kind: 'silent'; readonly tid: number };

export type WatchEnd =
  | { readonly kind: 'settled'; readonly end: Probation['end'] }
  | { readonly kind: 'caught'; readonly caught: CaughtThread }
  /** Somebody else stops it; it has the signal, and is let go. */
  | { readonly kind: 'stopped'; readonly signal: number }
  /** It has ended, and nothing could be done: SIGKILL, the OOM killer, a seccomp filter. Nulls: not known. */
  | { readonly kind: 'gone'; readonly exitCode: number | null; readonly signal: number | null };

export interface Watched {
  readonly process: TracedProcess;
  /** Its end is caught; else it ends as it would. */
  readonly catches: boolean;
  /** It has been told to finish. */
  readonly finishing: boolean;
  readonly stopSignals: readonly number[];
  /** Processes of hotexec below the target, which are none of its children. */
  readonly ours: ReadonlySet<number>;
  /** Ended meanwhile: its parent is not to hear of it. */
  readonly holderPidInside: number | null;
  /** An exit that is what the program was started for. */
  mayEnd(code: number, leavesChildren: boolean): boolean;
  /** It is about to be let go to such an end. */
  beforeEnd?(): void;
  /** A stop signal that hotexec has sent itself. */
  isOurs?(signal: number, info: SignalInfo): boolean;
  /** Whoever sends it a signal from within its container does so to finish it: its preStop hook. */
  readonly trustsInside?: boolean;
  /** A system call that is no exit; whoever takes it lets the thread go. */
  onCall(stop: Extract<ProcessStop, { kind: 'entry' }>): void;
  /** Looked at every few milliseconds. */
  settle(nowMs: number): Probation['end'] | 'silent' | null;
  warn(message: string): void;
  /** Whether the next stops should be all system calls, or signals alone. */
  wantsSyscalls(nowMs: number): boolean;
}

/** How long a look may be put off, ms. */
const lookEveryMs = 5;
/** How long letting all threads go may take, ms. */
export const releaseDeadlineMs = 2_000;

export function watch(watched: Watched): WatchEnd {
  using quiet = new QuietExit(watched.process);
  const end = watchUntil(watched, quiet);
  if (quiet.blind) watched.warn(blind);
  return end;
}

const blind =
  'once the new program listened, only signals were watched: no breakpoint could be set where it exits, so an exit would not have been caught';

function watchUntil(watched: Watched, quiet: QuietExit): WatchEnd {
  const { process } = watched;
  for (;;) {
    const nowMs = performance.now();
    // All that is looked at would only keep it.
    const settled = process.goesAlone ? null : look(nowMs, watched, quiet);
    if (settled === 'silent') {
      const tid = process.stopOne(nowMs + releaseDeadlineMs);
      return { kind: 'caught', caught: { kind: 'silent', tid } };
    }
    if (settled !== null) {
      process.release(nowMs + releaseDeadlineMs);
      return { kind: 'settled', end: settled };
    }
    const end = answer(process.next(nowMs + lookEveryMs), watched, quiet);
    if (end !== null) return end;
  }
}

function look(nowMs: number, watched: Watched, quiet: QuietExit): ReturnType<Watched['settle']> {
  const { process } = watched;
  process.mode = watched.wantsSyscalls(nowMs) || quiet.isOver ? 'syscalls' : 'signals';
  if (process.mode === 'signals' && watched.catches) {
    quiet.begin();
    // Slower, and the way back is what it is watched for.
    if (quiet.isForbidden) process.mode = 'syscalls';
  }
  return watched.settle(nowMs);
}

function answer(stop: ProcessStop, watched: Watched, quiet: QuietExit): WatchEnd | null {
  switch (stop.kind) {
    case 'timeout':
      return null;
    case 'ended':
      return { kind: 'gone', exitCode: stop.exitCode, signal: stop.signal };
    case 'entry':
      return answerCall(stop, watched);
    case 'signal': {
      const code = stop.pid === watched.process.pid ? quiet.exitCode(stop.tid, stop.signal) : null;
      return code === null
        ? answerSignal(stop, watched)
        : answerEnd({ kind: 'before-exit', tid: stop.tid, code }, watched);
    }
  }
}

export const exitCalls: readonly number[] = [arch.syscalls.exit, arch.syscalls.exit_group];

function answerCall(stop: Extract<ProcessStop, { kind: 'entry' }>, watched: Watched): WatchEnd | null {
  const { process, catches } = watched;
  const { pid, tid, call } = stop;
  if (!exitCalls.includes(call.number)) {
    watched.onCall(stop);
    return null;
  }
  const isEnd = pid === process.pid && (call.number === arch.syscalls.exit_group || isLastThread(process, tid));
  if (!isEnd || !catches) {
    process.goToItsEnd(tid);
    return null;
  }
  return answerEnd({ kind: 'exit', tid, call: call.number, code: Number(call.args[0] & 0xffn) }, watched);
}

function answerEnd(caught: Extract<CaughtThread, { readonly code: number }>, watched: Watched): WatchEnd {
  const { process, ours } = watched;
  const children = listDescendants(process.pid, ours).filter((child) => !child.spared && child.state !== 'Z');
  if (!watched.mayEnd(caught.code, children.length > 0)) return { kind: 'caught', caught };
  watched.beforeEnd?.();
  process.release(performance.now() + releaseDeadlineMs, { tid: caught.tid, signal: 0 });
  return { kind: 'settled', end: 'ended' };
}

function answerSignal(stop: Extract<ProcessStop, { kind: 'signal' }>, watched: Watched): WatchEnd | null {
  const { process, catches } = watched;
  const { pid, tid, signal, info } = stop;
  if (isOfHolder(stop, watched) || sentToMainThread(stop)) {
    process.go(tid);
    return null;
  }
  // Go and Java are sent these many times a second.
  if (pid !== process.pid || isHarmless(signal) || watched.isOurs?.(signal, info) === true) {
    process.go(tid, signal);
    return null;
  }
  const meaning = meaningOf(signal, info, dispositions(watched, info));
  switch (meaning === 'fatal' && !catches ? 'deliver' : meaning) {
    case 'deliver':
      process.go(tid, signal);
      return null;
    case 'fatal':
      return { kind: 'caught', caught: { kind: 'signal', tid, signal } };
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

function dispositions(
  { process: { pid }, stopSignals, finishing, ours, trustsInside = false }: Watched,
  { senderPid }: SignalInfo,
): Dispositions {
  const { sigCgt, sigIgn } = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const inside = innermostPid(pid);
  return {
    caught: sigCgt ?? 0n,
    ignored: sigIgn ?? 0n,
    isInit: inside === 1,
    finishing,
    family: new Set([
      inside ?? pid,
      ...listDescendants(pid, ours).map((child) => child.pidInside),
      // 0: outside of its pid namespace, as the runtime is.
      ...(trustsInside && senderPid !== 0 ? [senderPid] : []),
    ]),
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
