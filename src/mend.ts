// What a killed engine left on a target is put in order: first it is decided which program is there, then the old one is given back all
// that was changed, or the new one is started again in the proper way.
import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import { childrenOf, innermostPid } from './engine/descendants.ts';
import { Held } from './engine/held.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { isAlive } from './engine/liveness.ts';
import { observe } from './engine/observe.ts';
import { planRestart } from './engine/plan.ts';
import type { Program } from './engine/program.ts';
import { RestartReport } from './engine/report.ts';
import { seize } from './engine/seize.ts';
import { reapChild, undo } from './engine/undo.ts';
import { syscallInstruction } from './engine/vdso.ts';
import { HotexecError } from './errors.ts';
import type { Change } from './journal/change.ts';
import type { Journal, JournalledChange, JournalState } from './journal/journal.ts';
import { Registers } from './arch/registers.ts';
import type { MendResult } from './protocol/event.ts';
import type { TargetProcess } from './protocol/request.ts';
import { findSyscallInstruction } from './remote/instruction.ts';
import { RemoteThread } from './remote/remote-thread.ts';
import { swap } from './restart.ts';
import { TraceeGone } from './tracer/errors.ts';
import { seizeThread, threadIds } from './tracer/hold.ts';
import { readMemory } from './tracer/memory.ts';
import { sleep } from './tracer/ptrace/wait.ts';
import { blockable, everySignal, sendToThread, SIGCONT } from './tracer/signals.ts';
import { threadState } from './tracer/thread-states.ts';
import type { Tracee } from './tracer/tracee.ts';

const patienceMs = 2_000;

/** The journal is locked, so the engine that wrote it is gone. Throws mend-failed when the target could not be put in order. */
export function mend(
  state: JournalState,
  { journal, target, host }: { readonly journal: Journal; readonly target: TargetProcess; readonly host: Host },
): MendResult {
  journal.resume(state);
  host.phase('mend');
  if (!isAlive(target)) return { found: 'gone', detail: 'the process has ended' };
  const result = mendProgram(state, { target, journal, host });
  const holder = find(state.changes, 'holder');
  if (result.found === 'new' && holder !== undefined) reapLeftHolder(holder.pidInside, { target, journal, host });
  // Told before the journal goes: were this mender killed after that, nobody else would know.
  if (result.found === 'new') host.phase('verify');
  return result;
}

interface Place {
  readonly target: TargetProcess;
  readonly journal: Journal;
  readonly host: Host;
}

function mendProgram(state: JournalState, place: Place): MendResult {
  const { changes, mark, program } = state;
  if (changes.length === 0 && mark !== 'own' && mark !== 'exec' && program !== 'unfinished') return untouched(program);
  const tracee = seizeAgain(place.target, [...changes, ...state.changesAfterExec]);
  if (mark === 'own') return finishNew(state, tracee, place);
  if (mark === 'exec' && !hasNonce(tracee.tid, changes)) return startAgain(state, tracee, place);
  putBack(changes, tracee, place);
  if (program !== 'unfinished') return { ...untouched(program), detail: `${changes.length} changes were put back` };
  return startAgain({ ...state, changesAfterExec: [] }, seizeAgain(place.target, []), place);
}

/** Seizing it would be a stop for nothing; and one that the user has stopped would be let go. */
function untouched(program: JournalState['program']): MendResult {
  return program === 'old'
    ? { found: 'old', detail: 'nothing had been changed' }
    : { found: 'new', detail: 'the new program was complete' };
}

/** The program from before the last exec is there: undo the lines backwards. */
function putBack(changes: readonly JournalledChange[], tracee: Tracee, { target, journal }: Place): void {
  using held = adopted(changes, tracee, { target, journal });
  const registers = find(changes, 'registers');
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
  held.adopt({
    alreadyStopped: stopped?.alreadyStopped ?? false,
    mask: stopped === undefined || stopped.tid !== tracee.tid ? null : BigInt(`0x${stopped.mask}`),
    stoppedId: entry?.id ?? null,
    siblings: threadIds(target.pid).filter((tid) => tid !== tracee.tid),
  });
  return held;
}

/** The new program has its own registers and all resets: only the stop and the mask are left. */
function finishNew(state: JournalState, tracee: Tracee, place: Place): MendResult {
  using held = adopted(state.changesAfterExec, tracee, place);
  held.image = 'new';
  return { found: 'new', detail: 'the new program was let go' };
}

/** The new program is there, but without its resets, or in the middle of them: the same exec once more makes it right. */
function startAgain(state: JournalState, tracee: Tracee, { target, journal, host }: Place): MendResult {
  const { request } = state.header;
  // Should this exec fail, the new program goes on with what it has: its own registers.
  const own = find(state.changesAfterExec, 'registers');
  if (own !== undefined) tracee.setRegisters(new Registers(Buffer.from(own.bytes, 'hex')));
  // The old program's, which execve lets through; any other is the doing of a new program that has run already.
  if (tracee.signalMask() === blockable) tracee.setSignalMask(0n);
  journal.mark('again');
  tracee.detach();
  try {
    const observed = observe(target, host.ourselves);
    const world = { kernel: kernelVersion(), freeMemoryBytes: freemem() };
    const wanted = { ...request, options: { ...request.options, force: true } };
    const plan = { ...planRestart(observed, wanted, world), dryRun: false, holder: false };
    const report = new RestartReport(request);
    swap({ request, host, observed, plan, program: journalled(state), journal, report, stoppedByUs: true });
    return { found: 'new', detail: 'the new program was started once more, with all resets' };
  } catch (error) {
    if (!(error instanceof HotexecError) || !isAlive(target)) throw error;
    // Nothing was begun, or all of it was put back. That the engine had stopped it may be all that is left.
    sendToThread(target.pid, target.pid, SIGCONT);
    return {
      found: 'new',
      detail: `the new program runs, but what execve lets through was not reset: ${error.message}`,
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

function journalled(state: JournalState): Program {
  const { path, argv, environment, cwd } = state.header.program;
  return { path: bytes(path), argv: argv.map(bytes), environment: environment.map(bytes), cwd };
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

function hasNonce(tid: number, changes: readonly JournalledChange[]): boolean {
  const mapping = find(changes, 'mapping');
  if (mapping === undefined) return false;
  const found = readMemory(tid, BigInt(mapping.address), mapping.nonce.length / 2);
  return typeof found !== 'number' && found.toString('hex') === mapping.nonce;
}

function find<Kind extends Change['kind']>(
  changes: readonly JournalledChange[],
  kind: Kind,
): Extract<Change, { kind: Kind }> | undefined {
  for (const { change } of changes.toReversed()) if (isKind(change, kind)) return change;
  return undefined;
}

function isKind<Kind extends Change['kind']>(change: Change, kind: Kind): change is Extract<Change, { kind: Kind }> {
  return change.kind === kind;
}

/** The thread whose registers were borrowed; after an exec, or when it is gone, one that lives. */
function threadToHold(pid: number, changes: readonly JournalledChange[]): number {
  const living = threadIds(pid).filter((tid) => !'ZX'.includes(threadState(pid, tid)));
  const held = find(changes, 'stopped')?.tid;
  if (held !== undefined && living.includes(held)) return held;
  return living.includes(pid) ? pid : (living[0] ?? pid);
}

/**
 * The kernel detaches a dead tracer's tracees a moment after its files are closed: until then the seize is refused. And an execve may
 * still be going on, which takes the threads away: each try looks for one again.
 */
function seizeAgain(target: TargetProcess, changes: readonly JournalledChange[]): Tracee {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const tracee = trySeize(target, changes, deadlineMs);
    if (tracee !== undefined) return tracee;
    if (performance.now() > deadlineMs || !isAlive(target)) {
      throw new HotexecError({
        code: 'mend-failed',
        message: `${target.name}: an earlier hotexec was killed while it held process ${target.pid}, and the process cannot be traced now to put it in order.`,
        hint: 'if it stands stopped, another tracer may hold it: end that one, then run hotexec on this target again',
      });
    }
    sleep(1_000_000);
  }
}

function trySeize(target: TargetProcess, changes: readonly JournalledChange[], deadlineMs: number): Tracee | undefined {
  try {
    const seized = seizeThread(target.pid, threadToHold(target.pid, changes), deadlineMs);
    return typeof seized === 'number' ? undefined : seized.tracee;
  } catch (error) {
    // The thread ended between the look and the seize, or in the execve.
    if (error instanceof TraceeGone || !existsSync(`/proc/${target.pid}`)) return undefined;
    throw error;
  }
}
