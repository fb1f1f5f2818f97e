// What a killed engine left on a target is put in order: first it is decided which program is there, then the old one is given back all
// that was changed, or the new one is started again in the proper way.
import { childrenOf, innermostPid, listDescendants } from './engine/descendants.ts';
import { howToAsk, whileDraining } from './engine/drain.ts';
import { endTracer } from './engine/end-tracer.ts';
import { find, hasNonce } from './engine/left-changes.ts';
import { openProgramFile } from './engine/exec-call.ts';
import { isFileChange, mendFiles } from './engine/files/mend.ts';
import { HeldListeners, listServed } from './engine/handover/held-listeners.ts';
import { Held } from './engine/held.ts';
import type { Host } from './engine/host.ts';
import { isAlive, survives } from './engine/liveness.ts';
import { observe, type Observed } from './engine/observe.ts';
import { planAgain } from './engine/plan.ts';
import { familyOf, planProbation } from './engine/probation.ts';
import type { Program } from './engine/program.ts';
import { RestartReport } from './engine/report.ts';
import { livingThread, seizeAgain } from './engine/seize-again.ts';
import { seize } from './engine/seize.ts';
import { reapChild, undo } from './engine/undo.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { watchProbation } from './engine/watch-probation.ts';
import type { Work } from './engine/work.ts';
import { HotexecError } from './errors.ts';
import type { Journal, JournalledChange, JournalState } from './journal/journal.ts';
import { Registers } from './arch/registers.ts';
import type { MendResult } from './protocol/event.ts';
import { readText } from './procfs/read.ts';
import { parseStat } from './procfs/stat.ts';
import type { TargetProcess } from './protocol/request.ts';
import { ProcessRoot } from './rootfs/open.ts';
import { findSyscallInstruction } from './remote/instruction.ts';
import { RemoteThread } from './remote/remote-thread.ts';
import { drainAndSwap, swap } from './restart.ts';
import { threadIds } from './tracer/hold.ts';
import { sleep } from './tracer/ptrace/wait.ts';
import { blockable, everySignal, sendToThread, SIGCONT } from './tracer/signals.ts';
import { threadState } from './tracer/thread-states.ts';
import type { Tracee } from './tracer/tracee.ts';

const patienceMs = 2_000;

/** The journal is locked, so the engine that wrote it is gone. Throws mend-failed when the target could not be put in order. */
export function mend(state: JournalState, place: Place): MendResult {
  const { journal, target, host } = place;
  journal.resume(state);
  host.phase('mend');
  const rest = withoutTracer(state);
  if (!isAlive(target)) return { found: 'gone', detail: 'the process has ended' };
  const result = mendFilesToo(rest, place);
  const isStarted = result.found === 'new' || result.found === 'previous';
  const holder = find(state.changes, 'holder');
  if (isStarted && holder !== undefined) reapLeftHolder(holder.pidInside, place);
  // Told before the journal goes: were this mender killed after that, nobody else would know.
  if (isStarted) host.phase('verify');
  return result;
}

/** A gdb that held the target for the engine: while it lives, nobody else can. */
function withoutTracer(state: JournalState): JournalState {
  const tracer = find([...state.changes, ...state.changesAfterExec], 'tracer');
  if (tracer !== undefined) endTracer(tracer);
  return { ...state, changes: state.changes.filter(({ change }) => change.kind !== 'tracer') };
}

/** What a mender starts is not caught again: it is to run, and to have the sockets that are held for it. */
function workOf(state: JournalState, observed: Observed, { journal, host, listeners: held }: Place): Work {
  const { request } = state.header;
  const program = journalled(state);
  const listeners = held ?? HeldListeners.none();
  const options = { ...request.options, rollback: false };
  const probation = planProbation(listeners.expected(), options, listeners.listeners.length > 0);
  return {
    request,
    host: { ...host, interruption: () => null },
    observed,
    plan: { ...planAgain(observed, program, request.options), probation },
    program,
    file: null,
    files: null,
    previousFile: null,
    listeners,
    journal,
    report: new RestartReport(request),
  };
}

interface Place {
  readonly target: TargetProcess;
  readonly journal: Journal;
  readonly host: Host;
  /** Sockets of the target that have been held since before; null: none. */
  readonly listeners: HeldListeners | null;
}

/** Files go with the program: the new one keeps what was brought for it, and a previous one finds its own before it is started. */
function mendFilesToo(state: JournalState, place: Place): MendResult {
  using root = new ProcessRoot(livingThread(place.target.pid));
  const all = [...state.changes, ...state.changesAfterExec];
  const tools = { root, strike: (id: number) => place.journal.strike(id) };
  const tell = (sentences: readonly string[]): void => {
    for (const message of sentences) place.host.emit({ kind: 'warning', message });
  };
  if (state.attempt === 'previous') tell(mendFiles(all, tools, false));
  const result = mendIfAlive(withoutFiles(state), place);
  if (state.attempt === 'new') tell(mendFiles(all, tools, result.found === 'new'));
  return result;
}

function withoutFiles({ changes, changesAfterExec, ...rest }: JournalState): JournalState {
  return { ...rest, changes: changes.filter(isOfProgram), changesAfterExec: changesAfterExec.filter(isOfProgram) };
}

function isOfProgram({ change }: JournalledChange): boolean {
  return !isFileChange(change);
}

/** A program that was caught at its end, and was let go by the death of the engine, has its end. */
function mendIfAlive(state: JournalState, place: Place): MendResult {
  try {
    return mendProgram(state, place);
  } catch (error) {
    if (!(error instanceof HotexecError) || survives(place.target)) throw error;
    return { found: 'gone', detail: 'the process has ended' };
  }
}

function mendProgram(state: JournalState, place: Place): MendResult {
  const { changes, mark, program } = state;
  if (changes.length === 0 && mark !== 'own' && mark !== 'exec' && isSettled(program)) return untouched(state);
  if (find(changes, 'bind') !== undefined || isOfChild(changes, place)) return finishBind(state, place);
  const tracee = seizeAgain(place.target, [...changes, ...state.changesAfterExec]);
  if (mark === 'own') return finishNew(state, tracee, place);
  if (mark === 'exec' && !hasNonce(tracee.tid, changes)) return startAgain(state, tracee, place);
  if (program === 'draining' && find(changes, 'stopped') === undefined) return drainOn(state, tracee, place);
  // Whatever was changed in it: a program at its end is not given back anything, it is left.
  if (program === 'failed' || program === 'draining')
    return startAgain({ ...state, changesAfterExec: [] }, tracee, place);
  putBack(changes, tracee, place);
  if (program !== 'unfinished') return { ...untouched(state), detail: `${changes.length} changes were put back` };
  return startAgain({ ...state, changesAfterExec: [] }, seizeAgain(place.target, []), place);
}

/** Nothing is left to be done to it but what the unstruck lines say. */
function isSettled(program: JournalState['program']): boolean {
  return program === 'old' || program === 'new';
}

/** The old program was told to finish, and nobody has caught its end since: that is gone on with. */
function drainOn(state: JournalState, tracee: Tracee, place: Place): MendResult {
  const { target, journal, host } = place;
  tracee.detach();
  const observed = observe(target, host.ourselves);
  // Those that a guard holds are its own to close.
  using own = place.listeners === null ? HeldListeners.keep(listServed(familyOf(observed))) : null;
  const listeners = place.listeners ?? own;
  const work = { ...workOf(state, observed, { ...place, listeners }), asked: true };
  const asked = howToAsk(observed, state.header.request.options);
  const { held, alreadyStopped } = seize(observed, journal);
  held.watches = whileDraining;
  {
    using draining = held;
    using _stopped = draining.stopAll(alreadyStopped);
  }
  if (held.traced === null) throw new Error('a program that is to be drained goes on traced');
  const started = drainAndSwap(work, held.traced, asked);
  if (started === null)
    return { found: 'gone', detail: 'it ended, or was stopped by somebody else, while it finished' };
  watchProbation(work, started);
  return { found: 'new', detail: 'the old program has finished, and the new one was started' };
}

/** A process of the new program was stopped, to be handed a socket. */
function isOfChild(changes: readonly JournalledChange[], { target }: Place): boolean {
  return (find(changes, 'stopped')?.pid ?? target.pid) !== target.pid;
}

/** A socket was being handed over: whichever process of the new program it was for, its bind is answered, or made again. */
function finishBind(state: JournalState, place: Place): MendResult {
  const { attempt } = state;
  const ofBind = state.changes.filter(({ change }) => change.kind !== 'holder');
  const process = binding(ofBind, place);
  if (process !== null) putBack(ofBind, seizeAgain(process, ofBind), { ...place, target: process });
  for (const { id } of ofBind) place.journal.strike(id);
  return {
    found: attempt,
    detail: `the ${attempt} program was complete, and what it was about to bind was put in order`,
  };
}

/** Null: it has ended since. */
function binding(changes: readonly JournalledChange[], { target, host }: Place): TargetProcess | null {
  const pid = find(changes, 'stopped')?.pid ?? target.pid;
  if (pid === target.pid) return target;
  if (!listDescendants(target.pid, host.ourselves.pids).some((child) => child.pid === pid)) return null;
  const stat = readText(`/proc/${pid}/stat`);
  return stat.kind === 'read' ? { ...target, pid, startTicks: parseStat(stat.content).startTicks } : null;
}

/** Seizing it would be a stop for nothing; and one that the user has stopped would be let go. */
function untouched({ program, attempt }: JournalState): MendResult {
  return program === 'old'
    ? { found: 'old', detail: 'nothing had been changed' }
    : { found: attempt, detail: `the ${attempt} program was complete` };
}

/** The program from before the last exec is there: undo the lines backwards. */
function putBack(changes: readonly JournalledChange[], tracee: Tracee, { target, journal }: Place): void {
  using held = adopted(changes, tracee, { target, journal });
  const registers = find(changes, 'registers') ?? find(changes, 'bind');
  if (registers !== undefined) {
    const instruction = findSyscallInstruction(tracee.tid);
    if (instruction === undefined) throw new Error('no syscall instruction in the target');
    tracee.setSignalMask(everySignal);
    held.remote = new RemoteThread(tracee, new Registers(Buffer.from(registers.bytes, 'hex')), {
      instruction,
      observe: null,
      allows: () => true,
    });
    held.atEventStop = false;
  }
  for (const { id, change } of changes.toReversed()) {
    // Of a program that has gone on since: that takes a hold of its own (reapLeftHolder).
    if (change.kind === 'holder' && held.remote === null) continue;
    undo(held, change);
    journal.strike(id);
  }
}

function adopted(
  changes: readonly JournalledChange[],
  tracee: Tracee,
  { target, journal }: Pick<Place, 'target' | 'journal'>,
): Held {
  const held = new Held(target.pid, tracee, journal);
  const entry = changes.findLast(({ change }) => change.kind === 'stopped');
  const stopped = find(changes, 'stopped');
  const mask = find(changes, 'mask')?.mask ?? stopped?.mask ?? '0';
  held.adopt({
    alreadyStopped: stopped?.alreadyStopped ?? false,
    mask: stopped === undefined || stopped.tid !== tracee.tid ? null : BigInt(`0x${mask}`),
    stoppedId: entry?.id ?? null,
    siblings: threadIds(target.pid).filter((tid) => tid !== tracee.tid),
  });
  return held;
}

/** The new program has its own registers and all resets: only the stop and the mask are left. */
function finishNew(state: JournalState, tracee: Tracee, place: Place): MendResult {
  using held = adopted(state.changesAfterExec, tracee, place);
  held.image = 'new';
  place.listeners?.giveUpAll();
  return { found: state.attempt, detail: `the ${state.attempt} program was let go` };
}

/** The new program is there, but without its resets, or in the middle of them: the same exec once more makes it right. */
function startAgain(state: JournalState, tracee: Tracee, place: Place): MendResult {
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
    sendToThread(target.pid, target.pid, SIGCONT);
    return {
      found: state.attempt,
      detail: `the ${state.attempt} program runs, but what execve lets through was not reset: ${error.message}`,
    };
  }
}

/** EXITKILL has ended the holder with its engine. What is left is a zombie, if clearing the children has not taken it already. */
function reapLeftHolder(pidInside: number, { target, journal, host }: Place): void {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const holder = childrenOf(target.pid, target.pid).find((child) => innermostPid(child) === pidInside);
    if (holder === undefined || performance.now() > deadlineMs) return;
    if (threadState(holder, holder) === 'Z') break;
    sleep(1_000_000);
  }
  const observed = observe(target, host.ourselves);
  const { held, alreadyStopped } = seize(observed, journal);
  using reaping = held;
  using _stopped = reaping.stopAll(alreadyStopped);
  using _registers = reaping.borrow(syscallInstruction(observed), host.observer);
  reapChild(reaping, pidInside);
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
