// What execve lets through and a fresh start would not have, set right before the new program's first instruction (docs/how-it-works.md
// has the table). Read first, change only what differs; what cannot be changed is reported, and nothing here is a reason to fail.
import { readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { arch } from '../arch/arch.ts';
import { allocate } from '../native/memory.ts';
import { describeErrno } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';
import type { NotFresh } from '../protocol/result.ts';
import { limitNames, parseLimits, type ResourceLimit, type ResourceLimits } from '../procfs/limits.ts';
import { parseStatus, signalsIn, type ProcessStatus } from '../procfs/status.ts';
import { signalBit, signalName } from '../tracer/signals.ts';
import { descriptorTarget, listDescriptors } from './descriptors.ts';
import type { Held } from './held.ts';
import type { Observed } from './observe.ts';
import type { Permit } from './seccomp.ts';

const F_SETFL = 4;
const CLONE_SYSVSEM = 0x4_0000;
const SEM_INFO = 19;
const PR_SET_PDEATHSIG = 1;
const PR_SET_TSC = 26;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_MCE_KILL = 33;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_SET_THP_DISABLE = 41;
const PR_GET_MDWE = 66;
const PR_SET_MEMORY_MERGE = 67;
const PR_TSC_ENABLE = 1;
const defaultUmask = 0o022;
const defaultTimerSlackNs = '50000';
/** Below the new stack pointer nothing has been written yet: room for the structures of the calls. */
const roomBelowStack = 32n * 1024n;

/** A stop signal that came meanwhile is the new program's to get; it would be lost with the others. */
const deliveredSignals: readonly number[] = [
  constants.signals.SIGTERM,
  constants.signals.SIGINT,
  constants.signals.SIGHUP,
  constants.signals.SIGQUIT,
];

const terminalSignals: readonly number[] = [constants.signals.SIGINT, constants.signals.SIGHUP, constants.signals.SIGQUIT];

interface Reset {
  readonly held: Held;
  readonly observed: Observed;
  readonly status: ProcessStatus;
  readonly permit: Permit;
  /** Address of 256 bytes in the target, zeroed. */
  readonly room: bigint;
  readonly inContainer: boolean;
  readonly notFresh: NotFresh[];
  readonly cwd: string | null;
}

/** Registers must be borrowed; the new program has not run yet. */
export function resetAttributes(
  held: Held,
  observed: Observed,
  how: { readonly permit: Permit; readonly cwd: string | null },
): readonly NotFresh[] {
  const room = (held.stackPointer - roomBelowStack) & ~0xfffn;
  const reset: Reset = {
    held,
    observed,
    status: parseStatus(readFileSync(`/proc/${held.pid}/status`, 'utf8')),
    permit: how.permit,
    room,
    inContainer: observed.target.container !== null,
    notFresh: [],
    cwd: how.cwd,
  };
  if (held.thread.write(room, Buffer.alloc(256)) < 0) {
    report(reset, 'signals', 'there is no room below the new stack: nothing that execve lets through was reset');
    return reset.notFresh;
  }
  resetSignals(reset);
  resetTimers(reset);
  resetProcessFlags(reset);
  resetFiles(reset);
  if (reset.inContainer) resetFromOutside(reset);
  return reset.notFresh;
}

function report(reset: Reset, attribute: string, message: string): void {
  reset.notFresh.push({ attribute, message });
}

/** Makes a call that may be refused: true when it was made and worked. */
function attempt(reset: Reset, name: Parameters<Permit>[0] & Parameters<Held['thread']['call']>[0], ...args: (number | bigint)[]): boolean {
  if (reset.permit(name, ...args) !== 'allowed') return false;
  return reset.held.thread.call(name, ...args) >= 0;
}

function resetSignals(reset: Reset): void {
  const { status, held, room, inContainer } = reset;
  const pending = (status.sigPnd ?? 0n) | (status.shdPnd ?? 0n);
  const spared = deliveredSignals.reduce((mask, signal) => mask | signalBit(signal), 0n);
  for (const signal of signalsIn(pending & ~spared)) {
    // Ignoring a signal discards it where it waits (kernel/signal.c do_sigaction).
    setAction(reset, signal, 1n);
    setAction(reset, signal, 0n);
  }
  for (const signal of signalsIn(status.sigIgn ?? 0n)) {
    // nohup, and shells for a job in the background, start a process like this; who started a bare one is not known.
    if (!inContainer && terminalSignals.includes(signal)) {
      const name = signalName(signal);
      report(reset, `signal-${name}`, `${name} stays ignored: outside of a container it may have been so from the start (nohup, a shell's &)`);
    } else {
      setAction(reset, signal, 0n);
    }
  }
  held.thread.write(room, Buffer.alloc(8));
}

/** struct sigaction with the handler alone: SIG_DFL 0, SIG_IGN 1. */
function setAction(reset: Reset, signal: number, handler: bigint): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(handler);
  reset.held.thread.write(reset.room, bytes);
  if (!attempt(reset, 'rt_sigaction', signal, reset.room, 0, 8)) {
    report(reset, `signal-${signalName(signal)}`, `the disposition of ${signalName(signal)} could not be reset`);
  }
}

function resetTimers(reset: Reset): void {
  // ITIMER_REAL, VIRTUAL, PROF; nothing outside tells whether one runs.
  for (const timer of [0, 1, 2]) {
    if (!attempt(reset, 'setitimer', timer, reset.room, 0)) report(reset, 'itimer', `interval timer ${timer} could not be stopped`);
  }
}

function resetProcessFlags(reset: Reset): void {
  const { status, observed } = reset;
  if (!attempt(reset, 'prctl', PR_SET_PDEATHSIG, 0, 0, 0, 0)) report(reset, 'pdeathsig', 'the parent-death signal could not be cleared');
  if (!attempt(reset, 'prctl', PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)) report(reset, 'subreaper', 'the child-subreaper flag could not be cleared');
  if (status.thpEnabled === false && !attempt(reset, 'prctl', PR_SET_THP_DISABLE, 0, 0, 0, 0)) {
    report(reset, 'thp-disable', 'transparent huge pages stay disabled');
  }
  attempt(reset, 'prctl', PR_MCE_KILL, 0, 0, 0, 0);
  attempt(reset, 'prctl', PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
  if (/^ksm_merge_any: yes$/m.test(textOf(`/proc/${reset.held.pid}/ksm_stat`))) attempt(reset, 'prctl', PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
  resetSecurebits(reset);
  resetSemaphores(reset);
  const mdwe = reset.permit('prctl', PR_GET_MDWE) === 'allowed' ? reset.held.thread.call('prctl', PR_GET_MDWE, 0, 0, 0, 0) : 0;
  if (mdwe > 0) report(reset, 'mdwe', 'memory-deny-write-execute is set and can never be cleared');
  if (!/^\S+ default/.test(textOf(`/proc/${reset.held.pid}/numa_maps`) || 'x default') && !attempt(reset, 'set_mempolicy', 0, 0, 0)) {
    report(reset, 'mempolicy', 'the NUMA memory policy could not be reset');
  }
  const speculation = status.speculationStoreBypass ?? '';
  if (/force mitigated/.test(speculation) && observed.target.spec?.noNewPrivileges !== true) {
    report(reset, 'speculation', `speculation control stays: ${speculation}`);
  }
}

function resetSecurebits(reset: Reset): void {
  const bits = reset.permit('prctl', PR_GET_SECUREBITS) === 'allowed' ? reset.held.thread.call('prctl', PR_GET_SECUREBITS, 0, 0, 0, 0) : 0;
  if (bits > 0 && !attempt(reset, 'prctl', PR_SET_SECUREBITS, 0, 0, 0, 0)) {
    report(reset, 'securebits', `securebits stay 0x${bits.toString(16)}: they are locked or CAP_SETPCAP is missing`);
  }
}

/** Applies the undo list of System V semaphores now, as the end of the old program would have. */
function resetSemaphores(reset: Reset): void {
  if (attempt(reset, 'unshare', CLONE_SYSVSEM)) return;
  // Default profiles forbid unshare; without a semaphore in the namespace there is nothing to undo.
  const used = reset.permit('semctl') === 'allowed' ? reset.held.thread.call('semctl', 0, 0, SEM_INFO, reset.room) : -1;
  const info = used < 0 ? used : reset.held.thread.read(reset.room, 40);
  const sets = typeof info === 'number' ? 0 : info.readInt32LE(28);
  if (sets > 0) report(reset, 'sem-undo', 'the undo list of System V semaphores could not be applied (unshare is not permitted)');
  reset.held.thread.write(reset.room, Buffer.alloc(256));
}

function resetFiles(reset: Reset): void {
  const { held, observed, status, inContainer } = reset;
  const spec = observed.target.spec;
  const umask = spec?.user?.umask ?? defaultUmask;
  if (inContainer && status.umask !== undefined && status.umask !== umask && !attempt(reset, 'umask', umask)) {
    report(reset, 'umask', `the umask stays 0${status.umask.toString(8)}`);
  }
  changeDirectory(reset);
  if (!inContainer) return;
  for (const entry of listDescriptors(held.tracee.tid).filter((descriptor) => descriptor.fd <= 2)) {
    // Pipes and terminals keep O_NONBLOCK on the description, which the runtime's end does not share.
    const wanted = entry.statusFlags & ~(0o4000 | 0o20000 | 0o2000);
    const target = descriptorTarget(held.tracee.tid, entry.fd) ?? '';
    if (!/^(pipe|socket|\/dev\/(pts|tty|console))/.test(target) || wanted === entry.statusFlags) continue;
    if (!attempt(reset, 'fcntl', entry.fd, F_SETFL, wanted)) report(reset, `descriptor-${entry.fd}`, `descriptor ${entry.fd} stays non-blocking`);
  }
}

function changeDirectory(reset: Reset): void {
  const { cwd, observed, held, room } = reset;
  if (cwd === null || cwd === observed.program.cwd) return;
  const path = Buffer.from(`${cwd}\0`);
  const area = path.length <= 256 ? room : room - 8192n;
  const done = held.thread.write(area, path) >= 0 && attempt(reset, 'chdir', area);
  held.thread.write(area, Buffer.alloc(path.length));
  if (!done) report(reset, 'cwd', `the working directory stays ${observed.program.cwd}: it could not be changed to ${cwd}`);
}

function resetFromOutside(reset: Reset): void {
  const { held, observed } = reset;
  const { pid } = held;
  const { spec } = observed.target;
  const { environment } = observed;
  resetLimits(reset);
  const wantedOom = spec?.oomScoreAdj ?? null;
  if (wantedOom !== null && environment.oomScoreAdj !== wantedOom) {
    writeAttribute(reset, { path: `/proc/${pid}/oom_score_adj`, value: String(wantedOom), attribute: 'oom-score-adj' });
  }
  const filter = environment.parent?.coredumpFilter ?? null;
  if (filter !== null && environment.coredumpFilter !== filter) {
    writeAttribute(reset, { path: `/proc/${pid}/coredump_filter`, value: `0x${filter}`, attribute: 'coredump-filter' });
  }
  if (environment.timerSlackNs !== null && String(environment.timerSlackNs) !== defaultTimerSlackNs) {
    writeAttribute(reset, { path: `/proc/${pid}/timerslack_ns`, value: defaultTimerSlackNs, attribute: 'timer-slack' });
  }
  resetScheduling(reset);
}

function writeAttribute(reset: Reset, change: { readonly path: string; readonly value: string; readonly attribute: string }): void {
  try {
    writeFileSync(change.path, change.value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report(reset, change.attribute, `${change.attribute} could not be set to ${change.value}: ${why}`);
  }
}

const schedulingParameters = allocate(16);
const affinity = allocate(128);

function resetScheduling(reset: Reset): void {
  const { pid } = reset.held;
  const { observed } = reset;
  const parent = observed.environment.parent;
  const policy = syscall(arch.syscalls.sched_getscheduler, pid);
  if (policy > 0) {
    const answer = syscall(arch.syscalls.sched_setscheduler, pid, 0, schedulingParameters.address);
    if (answer < 0) report(reset, 'scheduling-policy', `the scheduling policy stays ${policy}: ${describeErrno(answer)}`);
  }
  const nice = parent === null ? 0 : getPriority(parent.pid);
  if (getPriority(pid) !== nice) {
    try {
      setPriority(pid, nice);
    } catch (error) {
      report(reset, 'nice', `nice stays ${getPriority(pid)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  // All CPUs: the kernel keeps to those of the cpuset, which is what a fresh container gets (runc does the same).
  affinity.bytes.fill(0xff);
  const answer = syscall(arch.syscalls.sched_setaffinity, pid, affinity.bytes.length, affinity.address);
  if (answer < 0) report(reset, 'affinity', `the CPU affinity could not be reset: ${describeErrno(answer)}`);
  const priority = syscall(arch.syscalls.ioprio_get, 1, pid);
  if (priority > 0 && priority >> 13 !== 0) {
    const set = syscall(arch.syscalls.ioprio_set, 1, pid, 0);
    if (set < 0) report(reset, 'ioprio', `the I/O priority stays: ${describeErrno(set)}`);
  }
}

const newLimit = allocate(16);
const unlimited = 0xffff_ffff_ffff_ffffn;

/** The spec's limits; those it does not name are inherited from the runtime's shim, which is the parent. */
function resetLimits(reset: Reset): void {
  const { observed, held } = reset;
  const now = parseLimits(readFileSync(`/proc/${held.pid}/limits`, 'utf8'));
  const wanted = freshLimits(observed);
  for (const name of limitNames) {
    const want = wanted[name];
    const have = now[name];
    if (want === undefined || have === undefined || (want.soft === have.soft && want.hard === have.hard)) continue;
    newLimit.bytes.writeBigUInt64LE(want.soft === 'unlimited' ? unlimited : want.soft, 0);
    newLimit.bytes.writeBigUInt64LE(want.hard === 'unlimited' ? unlimited : want.hard, 8);
    const answer = syscall(arch.syscalls.prlimit64, held.pid, want.number, newLimit.address, 0);
    if (answer < 0) {
      const attribute = `rlimit-${name.slice('RLIMIT_'.length).toLowerCase()}`;
      report(reset, attribute, `${name} stays ${have.soft}/${have.hard}, a fresh start has ${want.soft}/${want.hard}: ${describeErrno(answer)}`);
    }
  }
}

export function freshLimits(observed: Observed): ResourceLimits {
  const inherited = observed.environment.parent?.limits ?? {};
  const named = (observed.target.spec?.rlimits ?? []).flatMap(({ type, soft, hard }) => {
    const name = limitNames.find((known) => known === type);
    const number = name === undefined ? undefined : observed.limits[name]?.number;
    return name === undefined || number === undefined ? [] : [[name, { number, soft: limitValue(soft), hard: limitValue(hard) } satisfies ResourceLimit] as const];
  });
  return { ...inherited, ...Object.fromEntries(named) };
}

/** config.json has 2^64-1 for no limit, which JSON numbers round to 2^64. */
function limitValue(value: number): bigint | 'unlimited' {
  return value < 0 || value >= 2 ** 63 ? 'unlimited' : BigInt(value);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not on this kernel: the attribute does not exist.
    return '';
  }
}
