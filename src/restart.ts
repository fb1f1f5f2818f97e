// ★ A restart, top to bottom. docs/how-it-works.md tells the same in the same order, with what the kernel does at each line.
// Leaving a scope puts back what was changed in it, as long as the old program is there: `using` is the whole undo.
import { freemem } from 'node:os';
import { clearChildren } from './engine/children.ts';
import { describeFile, execArguments, openProgramFile, prepareExec } from './engine/exec-call.ts';
import type { Held } from './engine/held.ts';
import { stopIfCancelled, type Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import type { MemoryFile } from './engine/memory-file.ts';
import { observe, type Observed } from './engine/observe.ts';
import { yieldToStop } from './engine/outside-stop.ts';
import { planRestart, possible, summarize, summarizeObserved } from './engine/plan.ts';
import type { Program } from './engine/program.ts';
import { dryRun } from './engine/prove.ts';
import { reapHolder } from './engine/reap-holder.ts';
import { RestartReport } from './engine/report.ts';
import { resetAttributes } from './engine/reset/reset.ts';
import { seize, type Seizure } from './engine/seize.ts';
import { chooseScratch, mapScratch } from './engine/stage.ts';
import { exec, markDescriptors, resetPersonality, startHolder, type Holder } from './engine/swap.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { verify } from './engine/verify.ts';
import type { Work } from './engine/work.ts';
import { journalHeader, type Journal } from './journal/journal.ts';
import type { RestartRequest } from './protocol/request.ts';
import type { RestartResult } from './protocol/result.ts';

/** Throws HotexecError when nothing was touched; every other end is a result. The journal is locked and empty. */
export function restart(request: RestartRequest, host: Host, journal: Journal): RestartResult {
  const report = new RestartReport(request);

  host.phase('observe');
  const observed = observe(request.target, host.ourselves);

  host.phase('plan');
  const plan = planRestart(observed, request, {
    kernel: kernelVersion(),
    freeMemoryBytes: freemem(),
  });
  const program = possible(plan);
  const [before, after] = [summarizeObserved(observed), summarize(program, observed.program.cwd)];
  report.programs(before, after);
  host.emit({ kind: 'planned', before, after });
  report.warn(...plan.warnings);
  report.notFresh(...plan.notFresh);
  using file = upload(program, observed, host);
  stopIfCancelled(host);

  journal.begin(
    journalHeader(request, host.journals.enginePid, { ...program, memory: program.memory !== null }),
    observed.descriptors.length + observed.descendants.length,
  );
  try {
    const held = swap({ request, host, observed, plan, program, file, journal, report });
    report.hold(held.holdMs);
    host.phase('verify');
    report.verified(verify(observed));
    if (file !== null && program.memory?.kind === 'local') report.files(describeFile(program, file));
  } catch (error) {
    report.failed(error);
  }
  journal.finish();
  return report.result();
}

/** A program that is to be in memory is brought there while the old one serves. */
function upload(program: Program, { tid }: Observed, host: Host): MemoryFile | null {
  if (program.memory?.kind !== 'local') return openProgramFile(program, tid);
  host.phase('upload');
  const path = program.path.toString();
  let toldMs = performance.now();
  return openProgramFile(program, tid, (doneBytes, totalBytes) => {
    stopIfCancelled(host);
    if (performance.now() - toldMs < 100) return;
    toldMs = performance.now();
    host.emit({ kind: 'upload', path, doneBytes, totalBytes });
  });
}

/** From the running old program to the running new one. On an error the old one runs on, if it is still there. */
export function swap(work: Work): Held {
  const { host, observed, program, journal } = work;
  const scratch = chooseScratch(observed.tid, execArguments(program));
  const instruction = syscallInstruction(observed);

  host.phase('hold');
  const seizure = seize(observed, journal);
  const holder = exchange(work, seizure, { scratch, instruction });
  if (holder !== null) reapHolder(work, holder);
  return seizure.held;
}

/** The hold: in here the target is changed, and nowhere else. */
function exchange(work: Work, seizure: Seizure, place: Place): Holder | null {
  const { host, observed, plan, program, report, request } = work;
  const { alreadyStopped } = seizure;
  using held = seizure.held;
  using _stopped = held.stopAll(alreadyStopped && work.stoppedByUs !== true);
  using _registers = held.borrow(place.instruction, host.observer);
  using _scratch = mapScratch(held, place.scratch);
  using call = prepareExec(held, place.scratch, work.file);

  host.phase('prove');
  if (plan.dryRun) report.warn(dryRun(held, place.scratch, call));
  // The drain belongs here: what can fail has been proven, and after it there is no way back but the previous program.
  stopIfCancelled(host);

  host.phase('swap');
  using _descriptors = markDescriptors(held, plan.keepFds, call);
  using _personality = resetPersonality(held, observed);
  using holder = plan.holder ? startHolder(held, place.scratch) : null;
  yieldToStop(observed);
  exec(held, call);
  report.pointOfNoReturn();

  host.phase('reset');
  held.stopNew();
  using _newRegisters = held.borrowNew(host.observer);
  const spared = new Set([...host.ourselves.pids, ...(holder === null ? [] : [holder.pid])]);
  if (request.options.children === 'kill') report.children(clearChildren(held, spared));
  report.notFresh(...resetAttributes(held, observed, program.cwd));
  // Hand-over of listeners and probation belong here: they watch the new program's first stops.

  host.phase('release');
  return holder;
}

interface Place {
  readonly scratch: ReturnType<typeof chooseScratch>;
  /** Address of a syscall instruction in the old program. */
  readonly instruction: bigint;
}
