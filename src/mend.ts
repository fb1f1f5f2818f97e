// What a killed engine left on a target is put in order: first it is decided which program is there, then the old one is given back all
// that was changed, or the new one is started again in the proper way.
import { childrenOf, innermostPid, listDescendants } from './engine/descendants.ts';
import { endTracer } from './engine/end-tracer.ts';
import { find, hasNonce } from './engine/left-changes.ts';
import { isFileChange, mendFiles } from './engine/files/mend.ts';
import { Held } from './engine/held.ts';
import { isAlive, survives } from './engine/liveness.ts';
import { observe } from './engine/observe.ts';
import { livingThread, seizeAgain } from './engine/seize-again.ts';
import { seize } from './engine/seize.ts';
import { reapChild, undo } from './engine/undo.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { HotexecError } from './errors.ts';
import type { JournalledChange, JournalState } from './journal/state.ts';
import { Registers } from './arch/registers.ts';
import type { MendResult } from './protocol/event.ts';
import { readText } from './procfs/read.ts';
import { parseStat } from './procfs/stat.ts';
import type { TargetProcess } from './protocol/request.ts';
import { ProcessRoot } from './rootfs/open.ts';
import { findSyscallInstruction } from './remote/instruction.ts';
import { RemoteThread } from './remote/remote-thread.ts';
import { sleep } from './tracer/ptrace/wait.ts';
import { everySignal } from './tracer/signals.ts';
import { threadIds, threadState } from './tracer/thread-states.ts';
import type { Tracee } from './tracer/tracee.ts';
import { drainOn, startAgain, type Place } from './mend-start.ts';

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

/** A process of the new program was stopped, to be handed a socket. */
function isOfChild(changes: readonly JournalledChange[], { target }: Place): boolean {
  return (find(changes, 'stopped')?.pid ?? target.pid) !== target.pid;
}

/** A socket was being handed over: whichever process of the new program it was for, its bind is answered, or made again. */
function finishBind(state: JournalState, place: Place): MendResult {
  const { attempt } = state;
  const ofBind = state.changes.filter(({ change }) => change.kind !== 'holder');
  const process = binding(ofBind, place);
  // A guard that was late to go has them too, and a bind that is made again would find its address in use.
  place.listeners?.giveUpAll();
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

/** The new program has all resets: only the stop and the mask are left, and its registers where they were borrowed to end the stop. */
function finishNew(state: JournalState, tracee: Tracee, place: Place): MendResult {
  const own = find(state.changesAfterExec, 'registers');
  if (own !== undefined) tracee.setRegisters(new Registers(Buffer.from(own.bytes, 'hex')));
  using held = adopted(state.changesAfterExec, tracee, place);
  held.image = 'new';
  place.listeners?.giveUpAll();
  return { found: state.attempt, detail: `the ${state.attempt} program was let go` };
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
