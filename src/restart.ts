// ★ A restart, top to bottom. docs/how-it-works.md tells the same in the same order, with what the kernel does at each line.
// Leaving a scope puts back what was changed in it, as long as the old program is there: `using` is the whole undo.
import { freemem } from 'node:os';
import { capture } from './engine/capture.ts';
import { clearChildren } from './engine/children.ts';
import { drain, signalOf, whileDraining, type Asked } from './engine/drain.ts';
import { execArguments, prepareExec } from './engine/exec-call.ts';
import { attach } from './engine/gdb/attach.ts';
import { endOfGdb } from './gdb/errors.ts';
import { bring } from './engine/files/bring.ts';
import { commitFiles } from './engine/files/commit.ts';
import { journalBytes } from './engine/files/planned.ts';
import { HeldListeners } from './engine/handover/held-listeners.ts';
import type { Hold } from './engine/hold.ts';
import { stopIfCancelled, type Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { observeFailed, observeFinished } from './engine/observe-again.ts';
import { yieldToStop } from './engine/outside-stop.ts';
import { planRestart, possible, summarize, summarizeObserved } from './engine/plan.ts';
import { dryRun } from './engine/prove.ts';
import { recall } from './engine/recall.ts';
import { reapHolder } from './engine/reap-holder.ts';
import { ProgramRecord } from './engine/program-record.ts';
import { RestartReport } from './engine/report.ts';
import { resetAttributes } from './engine/reset/reset.ts';
import { seize, type Seizure, type Taken } from './engine/seize.ts';
import { skippedPreStop } from './engine/running-hook.ts';
import { chooseScratch, mapScratch, roomIn, type Scratch } from './engine/stage.ts';
import { exec, markDescriptors, resetPersonality, startHolder, type Holder } from './engine/swap.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { verify } from './engine/verify.ts';
import { watchProbation, whileOnProbation, type Failed } from './engine/watch-probation.ts';
import type { Started, Work } from './engine/work.ts';
import { journalHeader } from './journal/header.ts';
import type { Journal } from './journal/journal.ts';
import type { RestartRequest } from './protocol/request.ts';
import { describeHook } from './protocol/hook.ts';
import type { RestartResult } from './protocol/result.ts';
import type { TracedProcess } from './tracer/traced-process.ts';

/** Throws HotexecError when nothing was touched; every other end is a result. The journal is locked and empty. */
export function restart(request: RestartRequest, host: Host, journal: Journal): RestartResult {
  const report = new RestartReport(request);

  host.phase('observe');
  const seen = observe(request.target, host.ourselves);
  const record = new ProgramRecord(seen, host, { warn: (message) => report.warn(message), readOnly: false });
  const observed = recall(seen, record.known);

  host.phase('plan');
  const version = record.resolve(request);
  const world = { kernel: kernelVersion(), freeMemoryBytes: freemem(), path: host.path };
  const plan = planRestart(observed, { ...request, version }, world);
  const program = possible(plan);
  const [before, after] = [summarizeObserved(observed), summarize(program, observed.program.cwd)];
  report.planned(before, after, plan);
  const { operationId, target } = request;
  const { pid, startTicks } = target;
  host.emit({ kind: 'planned', operationId, before, after, pid, startTicks });
  stopIfCancelled(host);

  journal.begin(journalHeader(request, host.journals.enginePid, { program, previous: plan.previous }), {
    entries: 2 * (observed.descriptors.length + observed.descendants.length),
    bytes: journalBytes(plan.files),
  });
  try {
    using brought = bring({ request, host, observed, plan, program, journal });
    record.begin({
      operationId: request.operationId,
      program,
      files: brought.changes,
      backTo: version?.number ?? null,
    });
    using listeners = HeldListeners.keep(plan.handOver.served);
    try {
      attempt({ request, host, observed, plan, program, ...brought.forWork, listeners, journal, report });
    } catch (error) {
      brought.leaveIf(() => report.failed(error));
    }
    // The old program has its own still, where nothing came of it.
    if (report.came !== 'never') report.listeners(...listeners.results(), ...plan.handOver.refused);
    if (report.came === 'stays') report.files(...brought.settle());
  } catch (error) {
    const gdb = endOfGdb(error);
    if (gdb === null) report.failed(error);
    else report.mended(gdb, host.mend(journal, request.target));
  }
  record.settle(report.came, report.result());
  journal.finish();
  return report.result();
}

/** The new program; and if that fails its probation, the previous one: each is started from a held process. */
function attempt(work: Work): void {
  const { host, observed, plan, report } = work;
  const skipped = skippedPreStop(plan.drain, work.request.options);
  if (skipped !== null) {
    report.hook(skipped);
    host.emit({ kind: 'warning', message: describeHook(skipped) });
  }
  host.phase('hold');
  const started = plan.drain.kind === 'ask' ? finishFirst(work, plan.drain) : swap(work, () => take(work));
  if (started === null) return;
  report.swapped();

  const failed = watchProbation(work, started);
  if (failed !== null) rollBack(work, failed, started.holder);
  else if (started.holder !== null && report.isRunning) reapHolder(work, started.holder);

  host.phase('verify');
  if (report.isRunning) report.verified(verify(observed), plan.probation?.serves === true);
}

/** By ptrace, or by a gdb: what follows is the same. */
function take({ request, observed, journal, host }: Work): Taken {
  const { driver, gdbCall } = request.options;
  return driver === 'gdb' ? attach(observed, journal, { path: host.path, calls: gdbCall }) : seize(observed, journal);
}

/** The old program finishes by itself, and the new one is started from where it would have ended. Null: it ended otherwise. */
function finishFirst(work: Work, asked: Asked): Started | null {
  const process = prove(work, () => seize(work.observed, work.journal));
  return drainAndSwap(work, process, asked);
}

/** Also for a mender, who goes on where another engine was killed. */
export function drainAndSwap(work: Work, process: TracedProcess, asked: Asked): Started | null {
  const caught = drain(work, process, asked);
  if (caught === null) return null;
  const finished = observeFinished(work);
  return swap(finished, () => capture(caught, { ...finished, process }));
}

/** The previous program in place of the one that was about to end. Nothing more is caught: there is no third. */
function rollBack(work: Work, failed: Failed, holder: Holder | null): void {
  const { host, journal, report, request } = work;
  host.phase('rollback');
  journal.mark('failed');
  report.rollingBack(failed.end);
  work.files?.putBack();
  const again = observeFailed(work);
  const started = swap(again, () => capture(failed.caught, { ...again, process: failed.process }));
  report.rolledBack();
  host.emit({ kind: 'failed', end: failed.end });
  watchProbation(again, started);
  // Otherwise it was cleared with the other children.
  if (holder !== null && request.options.children === 'keep') reapHolder(again, holder);
}

/** From a held process to the running new program. On an error the old one runs on, if it is still there. */
export function swap(work: Work, hold: () => Taken): Started {
  const place = placeIn(work);
  const taken = hold();
  const holder = exchange(work, taken, place);
  heldFor(work, taken.held);
  return { held: taken.held, holder };
}

/** The hold: in here the target is changed, and nowhere else. */
function exchange(work: Work, taken: Taken, place: Place): Holder | null {
  const { host, observed, plan, program, report, request } = work;
  using held = taken.held;
  using _stopped = held.stopAll(taken.alreadyStopped && work.stoppedByUs !== true);
  taken.onceStopped?.();
  using _files = commitFiles(held, work.files);
  using _registers = held.borrow(place.instruction, host.observer);
  using _scratch = mapScratch(held, place.scratch);
  using _signals = held.blockSignals(roomIn(place.scratch));
  work.listeners.fetch(held, roomIn(place.scratch));
  using call = prepareExec(held, place.scratch, work.file);

  host.phase('prove');
  if (plan.dryRun && held.byPtrace !== null) report.warn(dryRun(held.byPtrace, place.scratch, call));
  stopIfCancelled(host);

  host.phase('swap');
  using _descriptors = markDescriptors(held, plan.keepFds, call);
  using _personality = resetPersonality(held, observed);
  using holder = plan.holder && held.byPtrace !== null ? startHolder(held.byPtrace, place.scratch) : null;
  yieldToStop(observed);
  exec(held, call);
  report.pointOfNoReturn();

  host.phase('reset');
  held.stopNew();
  using _newRegisters = held.borrowNew(host.observer);
  const spared = new Set([...host.ourselves.pids, ...(holder === null ? [] : [holder.pid])]);
  if (request.options.children === 'kill') report.children(clearChildren(held, spared));
  report.notFresh(...resetAttributes(held, observed, { cwd: program.cwd, ourSignal: signalOf(plan.drain) }));

  host.phase('release');
  host.standAlone();
  held.watches = whileOnProbation(work);
  return holder;
}

/** A short hold of its own, before the old program is told anything: what can fail fails here. It goes on traced. */
function prove(work: Work, hold: () => Seizure): TracedProcess {
  const { host, plan, report } = work;
  const place = placeIn(work);
  const { held, alreadyStopped } = hold();
  proveIn(held);
  heldFor(work, held);
  if (held.traced === null) throw new Error('a program that is to be drained goes on traced');
  return held.traced;

  function proveIn(proving: Seizure['held']): void {
    using target = proving;
    using _stopped = target.stopAll(alreadyStopped);
    using files = new DisposableStack();
    files.use(commitFiles(target, work.files));
    using _registers = target.borrow(place.instruction, host.observer);
    using _scratch = mapScratch(target, place.scratch);
    work.listeners.fetch(target, roomIn(place.scratch));
    using call = prepareExec(target, place.scratch, work.file);
    host.phase('prove');
    if (plan.dryRun) report.warn(dryRun(target, place.scratch, call));
    stopIfCancelled(host);
    // They stay: the program that is told to finish now is not coming back.
    files.move();
    // Not before: one that nothing comes of is let go.
    target.watches = whileDraining;
  }
}

function heldFor({ report, host }: Work, { holdMs, threads }: Hold): void {
  report.hold(holdMs);
  host.moment({ what: 'held', threads, ms: holdMs });
}

interface Place {
  readonly scratch: Scratch;
  /** Address of a syscall instruction in the old program. */
  readonly instruction: bigint;
}

/** Chosen before the hold: the maps of a large program take long to read. */
function placeIn({ observed, program }: Work): Place {
  return { scratch: chooseScratch(observed.tid, execArguments(program)), instruction: syscallInstruction(observed) };
}
