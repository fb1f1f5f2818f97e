// What a killed engine left on a target is put in order: first it is decided which program is there, then the old one is given back all
// that was changed, or the new one is started again in the proper way.
import { freemem } from 'node:os';
import { Held } from './engine/held.ts';
import type { Host } from './engine/host.ts';
import { kernelVersion } from './engine/kernel-version.ts';
import { observe } from './engine/observe.ts';
import { planRestart } from './engine/plan.ts';
import type { Program } from './engine/program.ts';
import { RestartReport } from './engine/report.ts';
import { undo } from './engine/undo.ts';
import { HotexecError } from './errors.ts';
import type { Change } from './journal/change.ts';
import type { Journal, JournalledChange, JournalState } from './journal/journal.ts';
import { Registers } from './arch/registers.ts';
import type { MendResult } from './protocol/event.ts';
import type { TargetProcess } from './protocol/request.ts';
import { readText } from './procfs/read.ts';
import { parseStat } from './procfs/stat.ts';
import { findSyscallInstruction } from './remote/instruction.ts';
import { RemoteThread } from './remote/remote-thread.ts';
import { swap } from './restart.ts';
import { seizeThread, threadIds, threadState } from './tracer/hold.ts';
import { readMemory } from './tracer/memory.ts';
import { sleep } from './tracer/ptrace/wait.ts';
import { everySignal } from './tracer/signals.ts';
import type { Tracee } from './tracer/tracee.ts';

const patienceMs = 2_000;

/** The journal is locked, so the engine that wrote it is gone. Throws mend-failed when the target could not be put in order. */
export function mend(
  state: JournalState,
  { journal, target, host }: { readonly journal: Journal; readonly target: TargetProcess; readonly host: Host },
): MendResult {
  journal.resume(state);
  host.phase('mend');
  if (isGone(target)) return { found: 'gone', detail: 'the process has ended' };
  const tid = threadToHold(target.pid, [...state.changes, ...state.changesAfterExec]);
  const tracee = seizeAgain(target, tid);
  if (state.mark === 'own') return finishNew(target, tracee, journal);
  if (state.mark === 'exec' && !hasNonce(tid, state.changes))
    return startAgain(state, { journal, target, host, tracee });
  return putBack(state.changes, { target, tracee, journal });
}

interface Place {
  readonly target: TargetProcess;
  readonly tracee: Tracee;
  readonly journal: Journal;
}

/** The old program is there (or a new one that already ran as its own): undo the lines backwards. */
function putBack(changes: readonly JournalledChange[], { target, tracee, journal }: Place): MendResult {
  using held = new Held(target.pid, tracee, journal);
  const registers = find(changes, 'registers');
  held.adopt({
    alreadyStopped: find(changes, 'stopped')?.alreadyStopped ?? false,
    mask: registers === undefined ? null : BigInt(`0x${registers.mask}`),
    siblings: threadIds(target.pid).filter((tid) => tid !== tracee.tid),
  });
  if (registers !== undefined || changes.some((entry) => entry.change.kind === 'holder')) {
    const base = registers === undefined ? tracee.registers() : new Registers(Buffer.from(registers.bytes, 'hex'));
    const instruction = findSyscallInstruction(tracee.tid);
    if (instruction === undefined) throw new Error('no syscall instruction in the target');
    tracee.setSignalMask(everySignal);
    held.remote = new RemoteThread(tracee, base, instruction, null);
    held.atEventStop = false;
  }
  for (const { id, change } of changes.toReversed()) {
    undo(held, change);
    journal.strike(id);
  }
  return { found: 'old', detail: `${changes.length} changes were put back` };
}

/** The new program has its own registers and all resets: only the stop and the mask are left. */
function finishNew(target: TargetProcess, tracee: Tracee, journal: Journal): MendResult {
  using held = new Held(target.pid, tracee, journal);
  held.image = 'new';
  held.adopt({ alreadyStopped: false, mask: 0n, siblings: [] });
  return { found: 'new', detail: 'the new program was let go' };
}

/** The new program is there, but without its resets, or in the middle of them: the same exec once more makes it right. */
function startAgain(state: JournalState, place: Place & { readonly host: Host }): MendResult {
  const { target, journal, host, tracee } = place;
  const { request } = state.header;
  // Should this exec fail, the new program goes on with what it has: its own registers.
  const own = find(state.changesAfterExec, 'registers');
  if (own !== undefined) tracee.setRegisters(new Registers(Buffer.from(own.bytes, 'hex')));
  tracee.setSignalMask(0n);
  tracee.detach();
  journal.mark('released');
  const observed = observe(target, host.ourselves.pids);
  const world = { ourselves: host.ourselves, kernel: kernelVersion(), freeMemoryBytes: freemem() };
  const plan = {
    ...planRestart(observed, { ...request, options: { ...request.options, force: true } }, world),
    dryRun: false,
    holder: false,
  };
  swap({ request, host, observed, plan, program: journalled(state), journal, report: new RestartReport(request) });
  return { found: 'new', detail: 'the new program was started once more, with all resets' };
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
  const borrowed = find(changes, 'registers')?.tid;
  if (borrowed !== undefined && living.includes(borrowed)) return borrowed;
  return living.includes(pid) ? pid : (living[0] ?? pid);
}

/** The kernel detaches a dead tracer's tracees a moment after its files are closed: until then the seize is refused. */
function seizeAgain(target: TargetProcess, tid: number): Tracee {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const seized = seizeThread(tid, deadlineMs);
    if (typeof seized !== 'number') return seized.tracee;
    if (performance.now() > deadlineMs || isGone(target)) {
      throw new HotexecError({
        code: 'mend-failed',
        message: `${target.name}: an earlier hotexec was killed while it held process ${target.pid}, and the process cannot be traced now to put it in order.`,
        hint: 'if it stands stopped, another tracer may hold it: end that one, then run hotexec on this target again',
      });
    }
    sleep(1_000_000);
  }
}

function isGone(target: TargetProcess): boolean {
  const reading = readText(`/proc/${target.pid}/stat`);
  if (reading.kind !== 'read') return true;
  const stat = parseStat(reading.content);
  return stat.startTicks !== target.startTicks || (stat.state === 'Z' && stat.numThreads <= 1);
}
