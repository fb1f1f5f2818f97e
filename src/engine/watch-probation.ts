// The probation of a new program: watched as a tracer, so that its end can be caught; or from afar, where nothing is to be caught.
import type { Probation, ProgramEnd } from '../protocol/result.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { killTracee, signalName } from '../tracer/signals.ts';
import type { TracedProcess } from '../tracer/traced-process.ts';
import { isFailedExit } from './ends.ts';
import { handOverCalls, HandOver } from './handover/hand-over.ts';
import type { Watches } from './held.ts';
import { isAlive } from './liveness.ts';
import { stopSignals } from './outside-stop.ts';
import { describeProbe, openProbe, type ProbeAttempts } from './probe.ts';
import { Settlement } from './probation.ts';
import { plannedHooks, runPostStart, type RunningHook } from './running-hook.ts';
import { describeCaught, Samples } from './samples.ts';
import { exitCalls, watch, type CaughtThread, type WatchEnd } from './watch.ts';
import type { Started, Work } from './work.ts';

/** A new program that stands right before its end. */
export interface Failed {
  readonly process: TracedProcess;
  readonly caught: CaughtThread;
  readonly end: ProgramEnd;
}

const lookEveryNs = 2_000_000;
/** The end of the first process of our own pid namespace is ours: what has been told of it needs this to arrive. */
const tellNs = 250_000_000;

/** What is to be seen of the new program; null: nothing, it is let go. */
export function whileOnProbation(work: Work): Watches | null {
  const catches = catchesEnd(work);
  const handsOver = work.listeners.listeners.length > 0;
  if (!catches && !handsOver) return null;
  const calls = new Set([...(catches ? exitCalls : []), ...(handsOver ? handOverCalls : [])]);
  return { image: 'new', tracing: { calls, children: handsOver } };
}

function catchesEnd({ plan: { probation, previous } }: Work): boolean {
  return probation !== null && probation.catches && previous !== null;
}

/** Null: it stays. Every other end but a failure is in the report. */
export function watchProbation(work: Work, { held, holder }: Started): Failed | null {
  const { traced, watches } = held;
  if (traced === null || watches === null) {
    watchFromAfar(work);
    return null;
  }
  const { plan, host, observed, report, listeners, journal } = work;
  const { probation } = plan;
  const catches = catchesEnd(work);
  if (probation === null) throw new Error('a program that is not watched is not traced');
  host.phase('probation');
  // Its memory is freed while the new program starts.
  if (holder !== null) killTracee(holder.pid);
  const startedMs = performance.now();
  const hook = runPostStart(work);
  const place = {
    observed,
    journal,
    tracing: watches.tracing,
    warn: (message: string) => report.warn(message),
    given: (address: string) => host.moment({ what: 'bound', address }),
  };
  const handOver = new HandOver(listeners, place);
  using probe = probation.catches ? probeOf(work) : null;
  const settlement = new Settlement(observed.target.pid, probation, { startedMs, listeners, probe });
  const samples = new Samples(observed.target.pid, listeners, host);
  const end = watch({
    process: traced,
    catches,
    finishing: false,
    stopSignals: stopSignals(observed),
    ours: new Set([...host.ourselves.pids, ...(holder === null ? [] : [holder.pid])]),
    holderPidInside: holder?.pidInside ?? null,
    mayEnd: (code, leavesChildren) => !isFailedExit(code, { serves: probation.serves, leavesChildren }),
    beforeEnd: () => {
      if (observed.target.pid === 1) sleep(tellNs);
    },
    onCall: (stop) => handOver.onCall(traced, stop),
    // Its sockets are waited for all the same: closed now, they would refuse the clients that wait in them.
    settle: (nowMs) => {
      samples.look(nowMs);
      const wantsOut = listeners.isComplete && host.interruption() === 'cancelled';
      const settled = wantsOut ? 'cut-short' : settledWith(hook, settlement.check(nowMs), { nowMs, catches });
      if (settlement.listeningMs !== null) samples.listening();
      if (settled !== null && settled !== 'silent') listeners.letGo();
      return settled;
    },
    warn: (message) => report.warn(message),
    wantsSyscalls: (nowMs) => settlement.isStarting(nowMs) || !listeners.isComplete,
  });
  const afterMs = performance.now() - startedMs;
  hook?.leave(end.kind === 'settled' && end.end === 'cut-short' ? 'hotexec was told to stop' : 'the program ended');
  if (end.kind === 'caught') host.moment({ what: 'caught', end: describeCaught(end.caught) });
  report.probation(probationEnd(end), afterMs, settlement.listeningMs);
  switch (end.kind) {
    case 'settled':
      return null;
    case 'caught':
      if (end.caught.kind !== 'silent')
        return { process: traced, caught: end.caught, end: describeEnd(end.caught, afterMs) };
      if (hook?.hasFailed === true) return { process: traced, caught: end.caught, end: hookFailed(afterMs) };
      report.warn(whySilent(work, probe));
      return { process: traced, caught: end.caught, end: describeEnd(end.caught, afterMs) };
    case 'stopped':
      report.stopped(end.signal, 'new');
      return null;
    case 'gone':
      report.lost({ exitCode: end.exitCode, signal: end.signal === null ? null : signalName(end.signal), afterMs });
      return null;
  }
}

/** Without a tracer: that it lives, and whether it listens again. */
function watchFromAfar(work: Work): void {
  const { plan, host, observed, report, listeners } = work;
  const { probation } = plan;
  if (probation === null) {
    waitForHook(work);
    return;
  }
  host.phase('probation');
  const startedMs = performance.now();
  const hook = runPostStart(work);
  // Of a program that is all there is; the previous one, started again, has to do as it is.
  using probe = probation.catches || !work.request.options.rollback ? probeOf(work) : null;
  const settlement = new Settlement(observed.target.pid, probation, { startedMs, listeners, probe });
  const samples = new Samples(observed.target.pid, listeners, host);
  for (;;) {
    const nowMs = performance.now();
    if (!isAlive(observed.target)) {
      hook?.leave('the program ended');
      report.lost({ exitCode: null, signal: null, afterMs: nowMs - startedMs });
      return;
    }
    const isCancelled = host.interruption() === 'cancelled';
    const end = isCancelled ? 'cut-short' : settledWith(hook, settlement.check(nowMs), { nowMs, catches: false });
    samples.look(nowMs);
    if (settlement.listeningMs !== null) samples.listening();
    if (end !== null) {
      hook?.leave('hotexec was told to stop');
      if (end === 'silent') report.warn(whySilent(work, probe));
      report.probation(end === 'silent' ? 'time' : end, nowMs - startedMs, settlement.listeningMs);
      return;
    }
    sleep(lookEveryNs);
  }
}

/** Nothing is watched but the end of its postStart hook. */
function waitForHook(work: Work): void {
  const { host, observed } = work;
  if (plannedHooks(work.plan.drain, work.request.options).every(({ hook }) => hook !== 'postStart')) return;
  host.phase('probation');
  const hook = runPostStart(work);
  while (hook?.check(performance.now()) === null) {
    if (!isAlive(observed.target)) hook.leave('the program ended');
    else if (host.interruption() === 'cancelled') hook.leave('hotexec was told to stop');
    else sleep(lookEveryNs);
  }
}

type Settled = ReturnType<Settlement['check']>;

/** A program counts as started when its postStart hook has succeeded; where nothing is caught, when that has ended. */
function settledWith(
  hook: RunningHook | null,
  settled: Settled,
  { nowMs, catches }: { readonly nowMs: number; readonly catches: boolean },
): Settled {
  if (hook === null || settled === 'silent') return settled;
  if (hook.check(nowMs) === null) return null;
  return hook.hasFailed && catches ? 'silent' : settled;
}

function probeOf({ request, observed }: Work): ProbeAttempts | null {
  const { probe } = request.options;
  return probe === null ? null : openProbe(probe, observed.target.pid);
}

/** `http://127.0.0.1:8080/healthz was answered 503`. */
function whySilent({ request }: Work, probe: ProbeAttempts | null): string {
  const asked = request.options.probe;
  if (asked === null) throw new Error('nothing was asked');
  return `${describeProbe(asked)} ${probe?.lastFailure ?? 'got no answer'}`;
}

function probationEnd(end: WatchEnd): Probation['end'] {
  if (end.kind === 'settled') return end.end;
  return end.kind === 'caught' ? 'failed' : 'cut-short';
}

function hookFailed(afterMs: number): ProgramEnd {
  return { exitCode: null, signal: null, reason: 'post-start-hook', afterMs };
}

function describeEnd(caught: CaughtThread, afterMs: number): ProgramEnd {
  switch (caught.kind) {
    case 'exit':
    case 'before-exit':
      return { exitCode: caught.code, signal: null, reason: 'exit', afterMs };
    case 'signal':
      return { exitCode: null, signal: signalName(caught.signal), reason: 'signal', afterMs };
    case 'silent':
      return { exitCode: null, signal: null, reason: 'probe-timeout', afterMs };
  }
}
