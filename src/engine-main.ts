// The engine: one request in, one answer out. A process of its own, since a tracer is a thread and Node's other threads must not be it;
// started in a session of its own, so that a Ctrl-C in the terminal reaches the front and not what holds a target.
import { readlinkSync, readSync, writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { dirname } from 'node:path';
import { arch } from './arch/arch.ts';
import { describeCall } from './engine/report.ts';
import type { Host } from './engine/host.ts';
import { errorData, HotexecError } from './errors.ts';
import { limitsInMemory } from './history/bound.ts';
import { loginName } from './history/who.ts';
import type { HeldListeners } from './engine/handover/held-listeners.ts';
import { keepToo } from './guard.ts';
import { inspect } from './inspect.ts';
import { openJournal, type Journal } from './journal/journal.ts';
import { sealOf } from './protocol/seal.ts';
import { mend } from './mend.ts';
import { awaitInput, inputReady, outputReady } from './native/poll.ts';
import { syscall } from './native/syscall.ts';
import { sleepExactly } from './tracer/ptrace/wait.ts';
import { parseNamespaceLink } from './procfs/ns.ts';
import type { EngineAnswer, EngineLine, HotexecEvent, MendResult, Moment } from './protocol/event.ts';
import type { HookEnd } from './protocol/hook.ts';
import type { EngineControl, EngineRequest, TargetProcess } from './protocol/request.ts';
import { parseOwnLine } from './protocol/own-line.ts';
import { runtimeDirectory } from './protocol/runtime-directory.ts';
import { stateDirectory } from './protocol/state-directory.ts';
import { showHistory } from './show-history.ts';
import { showPlan } from './show-plan.ts';
import { restart } from './restart.ts';

const stdin = 0;
const stdout = 1;
/** What is no longer is taken whole where poll(2) says that something is (pipe(7)). */
const PIPE_BUF = 4096;
/** linux/sched.h */
const CLONE_FILES = 0x400;
const CLOSE_RANGE_UNSHARE = 2;
const lastDescriptor = 0xffff_ffff;
/** How long the program may be held for a guard to close its sockets: it takes a millisecond, or the guard is stuck. */
const dismissalMs = 50;

/** A signal to the engine never leaves a half-done target: it is busy until it is done, and nothing else listens. */
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

const queue: EngineLine[] = [];
/** `if-taken`: in a probation the program runs, but each of its stops waits for this engine. */
let writing: 'always' | 'if-taken' | 'never' = 'always';

/** What has been read and not been asked for: a front may write two lines at once. */
let unread: Buffer = Buffer.alloc(0);

/** What the front has said since. */
const controls = new Set<EngineControl['kind']>();
const hookEnds = new Map<number, HookEnd>();

const request = readRequest();
if (request !== null) {
  send(answer(request));
}
process.exit(0);

function answer(asked: EngineRequest): EngineAnswer {
  const host = createHost(asked);
  try {
    switch (asked.kind) {
      case 'inspect':
        return { kind: 'inspect-result', result: inspect(asked, host) };
      case 'plan':
        return { kind: 'plan-result', result: showPlan(asked, host) };
      case 'history':
        return { kind: 'history-result', result: showHistory(asked, host) };
      case 'guard':
        return { kind: 'mend-result', result: standBy(asked, host) };
      case 'mend':
      case 'restart':
        return changeTarget(asked, host);
    }
  } catch (error) {
    // Not in order: no answer, and the front sends a mender who finds the journal.
    if (!(error instanceof HotexecError)) throw error;
    return { kind: 'failure', error: errorData(error) };
  }
}

/**
 * On a busy machine a held process would wait for the engine's turn on a CPU. It lives for a tenth of a second. No higher than this: the
 * target, which makes the calls, has to get its turn beside us (a hold under load took up to twice as long at the highest, measured).
 */
function hurry(): void {
  sleepExactly();
  try {
    setPriority(constants.priority.PRIORITY_ABOVE_NORMAL);
  } catch {
    // Not allowed for this user: it goes on as it is.
  }
}

/**
 * From now on this thread has its descriptors for itself. Were it killed, the kernel would close them before it lets the tracees go
 * (kernel/exit.c do_exit): the new program, about to bind, finds its addresses free. With Node's other threads they would stay open until
 * the last of those is gone.
 */
function ownDescriptors(): void {
  if (syscall(arch.syscalls.unshare, CLONE_FILES) >= 0) return;
  // Runtimes' seccomp profiles forbid that one, and not this: it closes nothing, for no descriptor has such a number (Linux 5.9).
  syscall(arch.syscalls.close_range, lastDescriptor, lastDescriptor, CLOSE_RANGE_UNSHARE);
}

function changeTarget(asked: Extract<EngineRequest, { kind: 'mend' | 'restart' }>, host: Host): EngineAnswer {
  hurry();
  ownDescriptors();
  using opened = openTarget(asked.target, host);
  if (asked.kind === 'mend') return { kind: 'mend-result', result: opened.mended };
  return { kind: 'restart-result', result: restart(asked, host, opened.journal) };
}

function standBy(asked: Extract<EngineRequest, { kind: 'guard' }>, host: Host): MendResult {
  using listeners = keepToo(asked, host);
  if (readOrder()?.kind !== 'mend') return { found: 'nothing', detail: 'nothing had to be mended' };
  hurry();
  using opened = openTarget(asked.target, host, listeners);
  return opened.mended;
}

interface OpenTarget extends Disposable {
  readonly journal: Journal;
  readonly mended: MendResult;
}

/** Locks the target and puts in order what a killed engine left on it. `listeners`: sockets of it that are held already. */
function openTarget(target: TargetProcess, host: Host, listeners: HeldListeners | null = null): OpenTarget {
  const { journal, left } = openJournal({ ...host.journals, pid: target.pid, startTicks: target.startTicks });
  let mended: MendResult = { found: 'nothing', detail: 'no engine has left anything on this process' };
  try {
    if (left !== null) {
      mended = mend(left, { journal, target, host, listeners });
      if (mended.found === 'new')
        host.emit({ kind: 'warning', message: `an earlier hotexec had been killed: ${mended.detail}` });
      journal.clear();
    }
  } catch (error) {
    journal[Symbol.dispose]();
    throw error;
  }
  return { journal, mended, [Symbol.dispose]: () => journal[Symbol.dispose]() };
}

function createHost(asked: EngineRequest): Host {
  const startedMs = performance.now();
  const verbose = asked.kind === 'restart' && asked.options.verbose;
  const timeoutMs = asked.kind === 'restart' ? asked.options.timeoutMs : Number.POSITIVE_INFINITY;
  const uid = process.getuid?.() ?? 0;
  const wantsTimeline = asked.kind === 'restart' && asked.options.timeline;
  const atMs = (): number => Math.round((performance.now() - startedMs) * 1000) / 1000;
  const moment = (what: Moment): void => {
    if (wantsTimeline) emit({ kind: 'timeline', atMs: atMs(), moment: what });
  };
  /** The front may have started a guard. */
  let guarded = false;
  if (wantsTimeline) moment({ what: 'clock', unixMs: performance.timeOrigin + startedMs });
  const host: Host = {
    ourselves: {
      pids: new Set([process.pid, process.ppid]),
      directory: dirname(process.argv[1] ?? ''),
      pidNamespace: parseNamespaceLink(readlinkSync('/proc/self/ns/pid')).inode,
    },
    ...placesFor(asked.target, uid),
    observer: verbose
      ? (call): void =>
          emit({ kind: 'remote-call', tid: call.tid, ...describeCall(call), durationUs: Math.round(call.durationUs) })
      : null,
    emit,
    phase: (phase) => {
      // While threads are stopped nothing is written: a reader that stands still must not keep them so.
      if (phase === 'rollback') writing = 'never';
      if (phase === 'probation' || phase === 'drain') writing = 'if-taken';
      if (phase === 'verify') writing = 'always';
      if (phase === 'drain') guarded = asked.kind === 'restart';
      emit({ kind: 'phase', phase, atMs: atMs() });
      if (phase === 'hold' || phase === 'mend') writing = 'never';
    },
    wantsTimeline,
    mend: (journal, on) => mendAfterGdb(journal, on, host),
    path: process.env['PATH'],
    moment,
    interruption: () => {
      readControls();
      if (controls.has('cancel')) return 'cancelled';
      return performance.now() - startedMs > timeoutMs ? 'timeout' : null;
    },
    hookEnd: (number) => {
      // That it is due may not have been taken yet.
      if (writing !== 'never') flush();
      readControls();
      return hookEnds.get(number) ?? null;
    },
    acknowledge: () => {
      controls.delete('cancel');
    },
    standAlone: () => {
      const deadlineMs = performance.now() + dismissalMs;
      // A front that has gone takes the guard along.
      for (let leftMs = dismissalMs; guarded && !controls.has('alone') && leftMs > 0;) {
        if (awaitInput(stdin, Math.ceil(leftMs))) guarded = readControls();
        leftMs = deadlineMs - performance.now();
      }
      guarded = false;
    },
  };
  return host;
}

function placesFor({ container, lasting }: TargetProcess, uid: number): Pick<Host, 'journals' | 'history'> {
  const journals = { directory: runtimeDirectory(process.env, uid), uid, enginePid: process.pid };
  const by = loginName(process.env, uid);
  if (lasting === undefined)
    return { journals, history: { ...journals, by, directory: stateDirectory(process.env, uid) } };
  if (container === null) throw new Error('hotexec: only what is of a container can be sealed');
  const seal = sealOf(container.id, process.getBuiltinModule('node:crypto'));
  return {
    journals: lasting.journals === null ? journals : { ...journals, directory: lasting.journals, seal },
    history: { ...journals, by, directory: lasting.history, seal, limits: limitsInMemory },
  };
}

/** The same that the mender of a killed engine would do; here the engine has outlived its gdb. */
function mendAfterGdb(journal: Journal, target: TargetProcess, host: Host): MendResult {
  const left = journal.read();
  return left === null
    ? { found: 'nothing', detail: 'nothing had been changed' }
    : mend(left, { journal, target, host, listeners: null });
}

function emit(event: HotexecEvent): void {
  queue.push(event);
  if (writing !== 'never') flush();
}

function send(last: EngineAnswer): void {
  queue.push(last);
  writing = 'always';
  flush();
}

function flush(): void {
  for (let line = queue[0]; line !== undefined; line = queue[0]) {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    if (writing === 'if-taken' && !(bytes.length <= PIPE_BUF && outputReady(stdout))) return;
    queue.shift();
    writeBytes(bytes);
  }
}

function writeBytes(bytes: Buffer): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(stdout, bytes, done);
  } catch {
    // The front is gone. What was asked for is done all the same; nobody listens any more.
  }
}

/** The first line of the input; null when it ends before one. */
function readRequest(): EngineRequest | null {
  const line = readLine();
  return line === null ? null : parseOwnLine<EngineRequest>(line);
}

/** Waits for one more line; null: the end of the input. */
function readOrder(): EngineControl | null {
  const line = readLine();
  return line === null ? null : parseOwnLine<EngineControl>(line);
}

function readLine(): string | null {
  for (;;) {
    const end = unread.indexOf(0x0a);
    if (end >= 0) {
      const line = unread.subarray(0, end).toString();
      unread = unread.subarray(end + 1);
      return line;
    }
    if (!readMore()) return null;
  }
}

/** False: the end of the input. */
function readMore(): boolean {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  const length = readSync(stdin, chunk);
  unread = Buffer.concat([unread, chunk.subarray(0, length)]);
  return length > 0;
}

/** Takes what has come. False: the end of the input, which is no cancel: the front has gone, and what was begun is finished. */
function readControls(): boolean {
  const goesOn = !inputReady(stdin) || readMore();
  for (let end = unread.indexOf(0x0a); end >= 0; end = unread.indexOf(0x0a)) {
    const control = parseOwnLine<EngineControl>(unread.subarray(0, end).toString());
    controls.add(control.kind);
    if (control.kind === 'hook-ended') hookEnds.set(control.number, control.end);
    unread = unread.subarray(end + 1);
  }
  return goesOn;
}
