// A mender that starts a program: it goes on with a drain that a killed engine has begun, or starts once more what had not been made fresh.
import { howToAsk, whileDraining } from './engine/drain.ts';
import { find } from './engine/left-changes.ts';
import { Held } from './engine/held.ts';
import { openProgramFile } from './engine/exec-call.ts';
import { HeldListeners, listServed } from './engine/handover/held-listeners.ts';
import type { Host } from './engine/host.ts';
import { isAlive } from './engine/liveness.ts';
import { observe, type Observed } from './engine/observe.ts';
import { planAgain } from './engine/plan.ts';
import { familyOf, planProbation } from './engine/probation.ts';
import type { Program } from './engine/program.ts';
import { RestartReport } from './engine/report.ts';
import { seizeAgain } from './engine/seize-again.ts';
import { seize } from './engine/seize.ts';
import { watchProbation } from './engine/watch-probation.ts';
import type { Work } from './engine/work.ts';
import { HotexecError } from './errors.ts';
import type { Journal } from './journal/journal.ts';
import type { JournalState } from './journal/state.ts';
import { EPERM } from './native/errno.ts';
import { Registers } from './arch/registers.ts';
import type { MendResult } from './protocol/event.ts';
import type { TargetProcess } from './protocol/request.ts';
import { drainAndSwap, swap } from './restart.ts';
import { blockable, sendToThread, SIGCONT } from './tracer/signals.ts';
import type { Tracee } from './tracer/tracee.ts';
import { threadIds } from './tracer/thread-states.ts';

export interface Place {
  readonly target: TargetProcess;
  readonly journal: Journal;
  readonly host: Host;
  /** Sockets of the target that have been held since before; null: none. */
  readonly listeners: HeldListeners | null;
}

/** What a mender starts is not caught again: it is to run, and to have the sockets that are held for it. */
function workOf(state: JournalState, observed: Observed, { journal, host, listeners: held }: Place): Work {
  const { request } = state.header;
  const program = journalled(state);
  const listeners = held ?? HeldListeners.none();
  // Nobody runs hooks for a mender.
  const options = { ...request.options, rollback: false, runHooks: false };
  const expected = { listeners: listeners.expected(), listened: listeners.listeners.length > 0 };
  const probation = planProbation(expected, options, listeners.listeners.length > 0);
  return {
    request: { ...request, options: { ...request.options, runHooks: false } },
    host: { ...host, interruption: () => null },
    observed,
    // What the old program was asked with, and may not have taken, is not meant for the new one.
    plan: {
      ...planAgain(observed, program, request.options),
      ...(state.program === 'draining' ? { drain: howToAsk(observed, options) } : {}),
      probation,
    },
    program,
    file: null,
    files: null,
    previousFile: null,
    listeners,
    journal,
    report: new RestartReport(request),
  };
}

/** The old program was told to finish, and nobody has caught its end since: that is gone on with. */
export function drainOn(state: JournalState, tracee: Tracee, place: Place): MendResult {
  const { target, journal, host } = place;
  tracee.detach();
  const observed = observe(target, host.ourselves);
  // Those that a guard holds are its own to close.
  using own = place.listeners === null ? HeldListeners.keep(listServed(familyOf(observed))) : null;
  const listeners = place.listeners ?? own;
  const work = { ...workOf(state, observed, { ...place, listeners }), asked: state.asked };
  const asked = howToAsk(observed, work.request.options);
  const { held, alreadyStopped } = seize(observed, journal);
  {
    using draining = held;
    using _stopped = draining.stopAll(alreadyStopped);
    draining.watches = whileDraining;
  }
  if (held.traced === null) throw new Error('a program that is to be drained goes on traced');
  const started = drainAndSwap(work, held.traced, asked);
  if (started === null)
    return { found: 'gone', detail: 'it ended, or was stopped by somebody else, while it finished' };
  watchProbation(work, started);
  return { found: 'new', detail: 'the old program has finished, and the new one was started' };
}

/** The new program is there, but without its resets, or in the middle of them: the same exec once more makes it right. */
export function startAgain(state: JournalState, tracee: Tracee, place: Place): MendResult {
  const { target, journal, host } = place;
  // Should this exec fail, the new program goes on with what it has: its own registers.
  const own = find(state.changesAfterExec, 'registers');
  if (own !== undefined) tracee.setRegisters(new Registers(Buffer.from(own.bytes, 'hex')));
  // The old program's, which execve lets through; any other is the doing of a new program that has run already.
  if (tracee.signalMask() === blockable) tracee.setSignalMask(0n);
  journal.mark('again');
  tracee.detach();
  try {
    // One in memory has died with its engine, and lives in the program that runs from it.
    using file = openProgramFile(journalled(state), target.pid);
    const observed = observe(target, host.ourselves);
    const work = { ...workOf(state, observed, place), file };
    const started = swap({ ...work, stoppedByUs: true }, () => seize(observed, journal));
    if (started.held.traced !== null) watchProbation(work, started);
    return { found: state.attempt, detail: `the ${state.attempt} program was started once more, with all resets` };
  } catch (error) {
    if (!(error instanceof HotexecError) || !isAlive(target)) throw error;
    // Nothing was begun, or all of it was put back. That the engine had stopped it may be all that is left.
    if (sendToThread(target.pid, target.pid, SIGCONT) === -EPERM) letGo(place);
    return {
      found: state.attempt,
      detail: `the ${state.attempt} program runs, but what execve lets through was not reset: ${error.message}`,
    };
  }
}

/** Where no signal may be sent to it. */
function letGo({ target, journal }: Place): void {
  using held = new Held(target.pid, seizeAgain(target, []), journal);
  const siblings = threadIds(target.pid).filter((tid) => tid !== held.tracee.tid);
  held.adopt({ alreadyStopped: false, mask: null, stoppedId: null, siblings });
}

/** What was to be started last. */
function journalled({ attempt, header }: JournalState): Program {
  const wanted = attempt === 'new' ? header.program : header.previous;
  if (wanted === null) throw new Error('a program without a way back is not caught');
  const { path, argv, environment, cwd, memory } = wanted;
  return {
    path: bytes(path),
    argv: argv.map(bytes),
    environment: environment.map(bytes),
    cwd,
    memory: memory ? { kind: 'running' } : null,
  };
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
