// ★ A restart, top to bottom. docs/how-it-works.md tells the same in the same order, with what the kernel does at each line.
// Leaving a scope puts back what was changed in it, as long as the old program is there: `using` is the whole undo.
import { freemem } from 'node:os';
import { capture } from './engine/capture.ts';
import { clearChildren } from './engine/children.ts';
import { stopIfCancelled, type Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { yieldToStop } from './engine/outside-stop.ts';
import { planRestart, possible, summarize, summarizeObserved } from './engine/plan.ts';
import { planProbation } from './engine/probation.ts';
import { dryRun } from './engine/prove.ts';
import { reapHolder } from './engine/reap-holder.ts';
import { RestartReport } from './engine/report.ts';
import { resetAttributes } from './engine/reset/reset.ts';
import { observeAgain } from './engine/observe-again.ts';
import { seize, type Seizure } from './engine/seize.ts';
import { chooseScratch, mapScratch } from './engine/stage.ts';
import { exec, markDescriptors, resetPersonality, startHolder, type Holder } from './engine/swap.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { verify } from './engine/verify.ts';
import { watchedCalls, watchFromAfar, watchProbation, type Failed } from './engine/watch-probation.ts';
import type { Started, Work } from './engine/work.ts';
import { journalHeader, type Journal } from './journal/journal.ts';
import type { RestartRequest } from './protocol/request.ts';
import type { RestartResult } from './protocol/result.ts';

/** Throws HotexecError when nothing was touched; every other end is a result. The journal is locked and empty. */
export function restart(request: RestartRequest, host: Host, journal: Journal): RestartResult {
  const report = new RestartReport(request);

  host.phase('observe');
  const observed = observe(request.target, host.ourselves);

  host.phase('plan');
  const plan = planRestart(observed, request, { kernel: kernelVersion(), freeMemoryBytes: freemem() });
  const program = possible(plan);
  const probation = planProbation(observed, request.options);
  const [before, after] = [summarizeObserved(observed), summarize(program, observed.program.cwd)];
  report.programs(before, after);
  host.emit({ kind: 'planned', before, after });
  report.warn(...plan.warnings);
  report.notFresh(...plan.notFresh);
  stopIfCancelled(host);

  const { previous } = plan;
  journal.begin(
    journalHeader(request, host.journals.enginePid, { program, previous }),
    2 * (observed.descriptors.length + observed.descendants.length),
  );
  try {
    attempt({ request, host, observed, plan, program, previous, probation, journal, report });
  } catch (error) {
    report.failed(error);
  }
  journal.finish();
  return report.result();
}

/** The new program; and if that fails its probation, the previous one: each is started from a held process. */
function attempt(work: Work): void {
  const { host, observed, journal, report } = work;
  host.phase('hold');
  const started = swap(work, () => seize(observed, journal));
  report.hold(started.held.holdMs);

  const failed = watchProbation(work, started);
  if (failed !== null) rollBack(work, failed, started.holder);
  else if (started.holder !== null && report.isRunning) reapHolder(work, started.holder);

  host.phase('verify');
  if (report.isRunning) report.verified(verify(observed));
}

/** The previous program in place of the one that was about to end. It is only looked at from afar: there is no third one. */
function rollBack(work: Work, failed: Failed, holder: Holder | null): void {
  const { host, journal, report, previous, request } = work;
  if (previous === null) throw new Error('what has no way back is not caught');
  host.phase('rollback');
  journal.mark('failed');
  report.rollingBack(failed.end);
  const again = observeAgain(work, previous);
  const { held } = swap(again, () => capture(failed.caught, { ...again, process: failed.process }));
  report.rolledBack(held.holdMs);
  host.emit({ kind: 'failed', end: failed.end });
  // Otherwise it was cleared with the other children.
  if (holder !== null && request.options.children === 'keep') reapHolder(again, holder);
  watchFromAfar(again);
}

/** From a held process to the running new program. On an error the old one runs on, if it is still there. */
export function swap(work: Work, hold: () => Seizure): Started {
  const { observed, program } = work;
  // Chosen before the hold: the maps of a large program take long to read.
  const place = { scratch: chooseScratch(observed.tid, program), instruction: syscallInstruction(observed) };
  const seizure = hold();
  return { held: seizure.held, holder: exchange(work, seizure, place) };
}

/** The hold: in here the target is changed, and nowhere else. */
function exchange(work: Work, seizure: Seizure, place: Place): Holder | null {
  const { host, observed, plan, program, report, request } = work;
  const { alreadyStopped } = seizure;
  using held = seizure.held;
  using _stopped = held.stopAll(alreadyStopped && work.stoppedByUs !== true);
  seizure.onceStopped?.();
  using _registers = held.borrow(place.instruction, host.observer);
  using _scratch = mapScratch(held, place.scratch);

  host.phase('prove');
  if (plan.dryRun) report.warn(dryRun(held, place.scratch));
  // The drain belongs here: what can fail has been proven, and after it there is no way back but the previous program.
  stopIfCancelled(host);

  host.phase('swap');
  using _descriptors = markDescriptors(held, plan.keepFds);
  using _personality = resetPersonality(held, observed);
  using holder = plan.holder ? startHolder(held, place.scratch) : null;
  yieldToStop(observed);
  exec(held, place.scratch);
  report.pointOfNoReturn();

  host.phase('reset');
  held.watches = watchedCalls(work);
  held.stopNew();
  using _newRegisters = held.borrowNew(host.observer);
  const spared = new Set([...host.ourselves.pids, ...(holder === null ? [] : [holder.pid])]);
  if (request.options.children === 'kill') report.children(clearChildren(held, spared));
  report.notFresh(...resetAttributes(held, observed, program.cwd));
  // Hand-over of listeners belongs here: it watches the new program's first stops.

  host.phase('release');
  return holder;
}

interface Place {
  readonly scratch: ReturnType<typeof chooseScratch>;
  /** Address of a syscall instruction in the old program. */
  readonly instruction: bigint;
}
