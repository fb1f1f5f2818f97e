// The old program finishes by itself: it gets its stop signal as its runtime would send it, and its end is caught before it happens.
// From the signal on there is no way back but the previous program.
import { constants } from 'node:os';
import { arch } from '../arch/arch.ts';
import type { HookAction } from '../protocol/hook.ts';
import type { RestartOptions } from '../protocol/request.ts';
import type { Drain } from '../protocol/result.ts';
import { gracePeriodOf, signalNumber } from '../protocol/stop-signal.ts';
import { signalBit, signalName } from '../tracer/signals.ts';
import { EINVAL } from '../native/errno.ts';
import { currentCall } from '../procfs/current-call.ts';
import { readText } from '../procfs/read.ts';
import { waitingSignals } from '../tracer/ptrace/requests.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { threadIds } from '../tracer/thread-states.ts';
import { Asking } from './asking.ts';
import type { Watches } from './held.ts';
import { answerSame, answerZero } from './handover/answer-call.ts';
import { acceptCalls, inodeOf, type CallStop } from './handover/call-stop.ts';
import { listenerAt } from './handover/held-paths.ts';
import type { Observed } from './observe.ts';
import { stopSignals } from './outside-stop.ts';
import { describeCaught, Samples } from './samples.ts';
import { exitCalls, releaseDeadlineMs, watch, type CaughtThread } from './watch.ts';
import type { Work } from './work.ts';

export interface Asked {
  readonly kind: 'ask';
  /** Null: it has no handler for it, and is asked by its preStop hook alone. */
  readonly signal: number | null;
  readonly graceMs: number;
  /** What is run before the signal, within the grace period; null: nothing. */
  readonly preStop: HookAction['kind'] | null;
}

export type DrainPlan = Asked | { readonly kind: 'skip'; readonly why: string };

const { close, dup2, dup3, shutdown, unlink, unlinkat } = arch.syscalls;

/** What the old program is asked with; null: it is not asked. */
export function signalOf(plan: DrainPlan): number | null {
  return plan.kind === 'ask' ? plan.signal : null;
}

/** Pure. A signal without a handler would end it at once: then it need not be asked. */
export function planDrain(observed: Observed, options: RestartOptions): DrainPlan {
  if (!options.drain) return { kind: 'skip', why: 'asked for' };
  const asked = howToAsk(observed, options);
  if (observed.stat.state === 'T') return { kind: 'skip', why: 'it is stopped' };
  const { signal, preStop } = asked;
  if (signal === null || listensTo(observed, signal)) return asked;
  // The hook may end it in another way.
  return preStop === null ? { kind: 'skip', why: noHandler(signal) } : { ...asked, signal: null };
}

function noHandler(signal: number): string {
  return `it has no handler for ${signalName(signal)}`;
}

/** As its runtime would ask it to stop, unless the user says otherwise. */
export function howToAsk({ target }: Pick<Observed, 'target'>, options: RestartOptions): Asked {
  const graceMs = gracePeriodOf(target.spec, options);
  const preStop = options.runHooks ? (options.hooks?.preStop?.kind ?? null) : null;
  return {
    kind: 'ask',
    signal: signalNumber(options.signal ?? target.spec?.stopSignal ?? 'SIGTERM') ?? constants.signals.SIGTERM,
    graceMs,
    // Without time for it the kubelet runs none (killContainer, pkg/kubelet/kuberuntime).
    preStop: graceMs > 0 ? preStop : null,
  };
}

/** A handler; or it is blocked, to be taken by sigwait or a signalfd. */
function listensTo({ status, waitedSignals }: Observed, signal: number): boolean {
  const { sigCgt = 0n, sigBlk = 0n, sigIgn = 0n } = status;
  const bit = signalBit(signal);
  return (sigCgt & bit) !== 0n || (((sigBlk | waitedSignals) & bit) !== 0n && (sigIgn & bit) === 0n);
}

/** What is to be seen of a program that finishes. */
export const whileDraining: Watches = {
  image: 'old',
  tracing: { calls: new Set([...exitCalls, close, dup2, dup3, shutdown, unlink, unlinkat]), children: false },
};

/** Null: it ended, or was stopped by somebody else, and the report says how. */
export function drain(work: Work, process: TracedProcess, asked: Asked): CaughtThread | null {
  const { host, observed, journal, report, listeners } = work;
  host.phase('drain');
  journal.mark('draining');
  report.pointOfNoReturn();
  const startedMs = performance.now();
  const asking = new Asking(work, asked, { process, tracing: whileDraining.tracing, startedMs });
  const samples = new Samples(observed.target.pid, listeners, host);
  const end = watch({
    process,
    catches: true,
    finishing: true,
    stopSignals: stopSignals(observed),
    ours: host.ourselves.pids,
    holderPidInside: null,
    mayEnd: () => false,
    isOurs: (signal, info) => asking.takes(signal, info),
    trustsInside: asking.trustsInside,
    onCall: (stop) => {
      keepForSuccessor(listeners, stop, process);
      process.go(stop.tid);
    },
    settle: (nowMs) => {
      samples.look(nowMs);
      if (host.interruption() === 'cancelled') {
        host.acknowledge();
        host.emit({ kind: 'warning', message: tooLate });
      }
      return asking.isOver(nowMs) ? 'silent' : null;
    },
    warn: (message) => report.warn(message),
    wantsSyscalls: () => true,
  });
  const durationMs = performance.now() - startedMs;
  asking.ended();
  switch (end.kind) {
    case 'caught': {
      // A program blocks the signal while it handles it: a second one has waited for its end.
      const stop = waitingSignals(end.caught.tid).find(
        (waiting) => stopSignals(observed).includes(waiting.signal) && asking.isOfOthers(waiting.signal, waiting),
      );
      if (stop !== undefined) {
        const { tid } = end.caught;
        process.release(performance.now() + releaseDeadlineMs, {
          tid,
          signal: end.caught.kind === 'signal' ? end.caught.signal : 0,
        });
        report.stopped(stop.signal, 'old');
        return null;
      }
      host.moment({ what: 'caught', end: describeCaught(end.caught) });
      report.drained(describe(end.caught, asking.sent, durationMs));
      return end.caught;
    }
    case 'stopped':
      report.stopped(end.signal, 'old');
      return null;
    case 'gone':
      report.lostInDrain({ exitCode: end.exitCode, signal: end.signal === null ? null : signalName(end.signal) });
      return null;
    case 'settled':
      throw new Error('a drain settles nothing');
  }
}

const tooLate = 'too late to cancel: the program has been told to finish, and the new one is started when it has';

/** It must not end what its successor is to have: a shutdown of a listener, an unlink of its path, a close of where its log goes. */
function keepForSuccessor(listeners: Work['listeners'], stop: CallStop, process: TracedProcess): void {
  const { tid, call } = stop;
  switch (call.number) {
    case close:
      if (isStandardStream(call.args[0])) answerZero(tid);
      return;
    case dup2:
    case dup3:
      if (isStandardStream(call.args[1])) answerSame(tid, call.args[1]);
      return;
    case shutdown:
      if (listeners.byInode(inodeOf(tid, Number(call.args[0]))) === undefined) return;
      answerZero(tid);
      wakeAcceptors(process, stop);
      return;
    default: {
      const listener = listenerAt(listeners, stop);
      if (listener === undefined) return;
      listener.isUnlinked = true;
      answerZero(tid);
    }
  }
}

/** A shutdown wakes threads that wait in accept on the socket, by EINVAL (accept(2)): some programs do it for that. */
function wakeAcceptors(process: TracedProcess, { pid, tid, call }: CallStop): void {
  const inode = inodeOf(tid, Number(call.args[0]));
  for (const other of threadIds(pid)) {
    if (other === tid) continue;
    if (!mayAccept(pid, other, inode)) continue;
    process.breakOff(other, {
      answer: -EINVAL,
      isMeant: ({ originalNumber, firstArgument }) =>
        acceptCalls.has(Number(originalNumber)) && inodeOf(other, Number(firstArgument)) === inode,
      deadlineMs: performance.now() + releaseDeadlineMs,
    });
  }
}

/** Of another user's thread the kernel may tell no more than the function it sleeps in. */
function mayAccept(pid: number, tid: number, inode: number): boolean {
  const call = currentCall(pid, tid);
  if (call !== null) return acceptCalls.has(call.number) && inodeOf(tid, Number(call.args[0])) === inode;
  const place = readText(`/proc/${pid}/task/${tid}/wchan`);
  return place.kind === 'read' && place.content.includes('accept');
}

/** gnulib's close_stdout and the like: the new program would write into nothing, or into a socket that got the number. */
function isStandardStream(fd: bigint): boolean {
  return BigInt.asUintN(32, fd) <= 2n;
}

/** Also beforehand: `finishes`. */
export const nothingMore = 'it has no handler for its stop signal, and is replaced when its preStop hook has ended';

function describe(caught: CaughtThread, signal: string | null, durationMs: number): Drain {
  const asked = { signal, why: null, ms: durationMs };
  switch (caught.kind) {
    case 'exit':
    case 'before-exit':
      return { ...asked, end: 'exited', exitCode: caught.code, endedBy: null };
    case 'signal':
      return { ...asked, end: 'exited', exitCode: null, endedBy: signalName(caught.signal) };
    case 'silent':
      // Its hook has ended, and there is nothing more to ask it with.
      if (signal === null) return { ...asked, end: 'skipped', why: nothingMore, exitCode: null, endedBy: null };
      return { ...asked, end: 'forced', exitCode: null, endedBy: null };
  }
}
