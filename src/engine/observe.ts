// Everything a restart must know about the target, read from outside without touching it.
import { closeSync, openSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { AT_EXECFN } from '../procfs/auxv.ts';
import { readInitialStack } from '../procfs/arguments.ts';
import { parseIdMap, type IdRange } from '../procfs/id-map.ts';
import { parseLimits, type ResourceLimits } from '../procfs/limits.ts';
import { parseMaps } from '../procfs/maps.ts';
import { isDenied, readText } from '../procfs/read.ts';
import { parseStat, type ProcessStat } from '../procfs/stat.ts';
import { parseStatus, type ProcessStatus } from '../procfs/status.ts';
import type { Words } from '../procfs/words.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import { readAuxv } from '../tracer/auxv.ts';
import { readMemory } from '../tracer/memory.ts';
import { threadIds, threadState } from '../tracer/thread-states.ts';
import { isHotexec, refuseByPid, type Ourselves } from './exclusions.ts';
import { readCgroupState, type CgroupState } from './cgroup.ts';
import { listDescendants, type Descendant } from './descendants.ts';
import { descriptorTarget, listDescriptors, type Descriptor } from './descriptors.ts';
import { waitedSignals } from './waited-signals.ts';

export interface Observed {
  readonly target: TargetProcess;
  readonly stat: ProcessStat;
  readonly status: ProcessStatus;
  readonly threads: readonly { readonly tid: number; readonly state: string }[];
  /** A living thread: the leader if it lives. Memory and descriptors are reached through it. */
  readonly tid: number;
  readonly program: ObservedProgram;
  readonly descriptors: readonly Descriptor[];
  /** What 0, 1 and 2 point to; null: closed. */
  readonly standardStreams: readonly (string | null)[];
  readonly descendants: readonly Descendant[];
  readonly cgroup: CgroupState;
  readonly limits: ResourceLimits;
  readonly environment: Surroundings;
  /** It belongs to this very installation of hotexec. */
  readonly isHotexec: boolean;
  /** Bit n-1: the leader waits for signal n in sigwait, and has it blocked otherwise. */
  readonly waitedSignals: bigint;
  /** Mappings that must end with the program: System V shared memory, huge pages, aio rings, devices. */
  readonly hasAttachments: boolean;
}

export interface ObservedProgram {
  /** As the process sees it. */
  readonly exe: string;
  /** The file has been deleted, or replaced by another of the same name. */
  readonly exeReplaced: boolean;
  /** AT_EXECFN: the path that was given to execve. */
  readonly execPath: string | null;
  readonly argv: Words;
  readonly environ: Words;
  readonly cwd: string;
  readonly root: string;
}

/** What surrounds the process: what a fresh one would inherit. */
export interface Surroundings {
  readonly personality: number;
  readonly coredumpFilter: string | null;
  readonly oomScoreAdj: number | null;
  readonly timerSlackNs: number | null;
  /** PR_SET_MEMORY_MERGE: all its memory takes part in same-page merging. */
  readonly ksmMergeAny: boolean;
  /** As /proc/PID/numa_maps names it: `default`, `bind:0`; null on a kernel without NUMA. */
  readonly memoryPolicy: string | null;
  /** Of its user namespace, as this one sees it: /proc shows ids of the reader's, a spec has those inside. */
  readonly uidMap: readonly IdRange[];
  readonly gidMap: readonly IdRange[];
  readonly parent: {
    readonly pid: number;
    readonly comm: string;
    readonly hasTerminal: boolean;
    readonly limits: ResourceLimits | null;
    readonly coredumpFilter: string | null;
  } | null;
}

/** `ourselves`: whom to spare. Throws target-not-found, not-permitted, target-zombie or target-excluded (a kernel thread) where there is nothing to observe. */
export function observe(target: TargetProcess, ourselves: Ourselves): Observed {
  const { pid } = target;
  refuseByPid(target, ourselves);
  const stat = readStat(target);
  const threads = threadIds(pid).map((tid) => ({ tid, state: tid === pid ? stat.state : threadState(pid, tid) }));
  const tid = livingThread(pid, threads);
  refuseWithoutProgram(target, stat, tid);
  try {
    const status = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
    refuseThread(target, status);
    refuse32Bit(target, tid ?? pid);
    const program = observeProgram(
      tid ?? pid,
      tid === pid ? stat : parseStat(readFileSync(`/proc/${tid ?? pid}/stat`, 'utf8')),
    );
    return {
      target,
      stat,
      status,
      threads,
      tid: tid ?? pid,
      program,
      isHotexec: isHotexec(program, ourselves),
      descriptors: listDescriptors(tid ?? pid),
      standardStreams: [0, 1, 2].map((fd) => descriptorTarget(tid ?? pid, fd)),
      descendants: listDescendants(pid, ourselves.pids),
      cgroup: readCgroupState(pid),
      limits: parseLimits(readFileSync(`/proc/${pid}/limits`, 'utf8')),
      environment: observeSurroundings(pid, stat.ppid),
      waitedSignals: waitedSignals(pid, pid),
      hasAttachments: /\/SYSV|hugepage|\[aio\]|\/dev\/(?!zero|shm|null)/.test(
        readFileSync(`/proc/${tid ?? pid}/maps`, 'latin1'),
      ),
    };
  } catch (error) {
    throw readError(error, target);
  }
}

/** /proc has a directory for each thread too; it only does not list them (proc(5)). */
function refuseThread({ pid, name }: TargetProcess, { tgid = pid }: ProcessStatus): void {
  if (tgid === pid) return;
  throw new HotexecError({
    code: 'target-not-found',
    message: `${name}: ${pid} is a thread of process ${tgid}. Nothing was touched.`,
    hint: `name the process: ${tgid}`,
  });
}

function readStat(target: TargetProcess): ProcessStat {
  const text = readText(`/proc/${target.pid}/stat`);
  if (text.kind !== 'read') {
    throw new HotexecError({
      code: 'target-not-found',
      message: `${target.name}: there is no process ${target.pid}.`,
      hint: 'it may have ended; look for the pid again',
    });
  }
  const stat = parseStat(text.content);
  if (stat.startTicks !== target.startTicks) {
    throw new HotexecError({
      code: 'target-changed',
      message: `${target.name}: pid ${target.pid} now belongs to another process (start time ${stat.startTicks}, expected ${target.startTicks}). Nothing was touched.`,
      hint: 'the process that was meant has ended; name the target again',
    });
  }
  return stat;
}

/** The leader if it lives; else a thread that does, one that sleeps if there is one. */
function livingThread(pid: number, threads: Observed['threads']): number | undefined {
  const living = threads.filter((thread) => !'ZXx'.includes(thread.state));
  return (living.find((thread) => thread.tid === pid) ?? living.find((thread) => thread.state === 'S') ?? living[0])
    ?.tid;
}

const ELFCLASS64 = 2;
const PF_KTHREAD = 0x20_0000;

function refuseWithoutProgram(target: TargetProcess, stat: ProcessStat, tid: number | undefined): void {
  if ((stat.flags & PF_KTHREAD) !== 0) {
    throw new HotexecError({
      code: 'target-excluded',
      message: `${target.name}: process ${target.pid} (${stat.comm}) is a kernel thread; it has no program to restart. Nothing was touched.`,
      hint: null,
    });
  }
  if (tid === undefined) {
    throw new HotexecError({
      code: 'target-zombie',
      message: `${target.name}: process ${target.pid} (${stat.comm}) is a zombie: it has ended and its parent ${stat.ppid} has not waited for it. Nothing was touched.`,
      hint: 'start it anew; there is nothing left to restart',
    });
  }
}

function observeProgram(tid: number, stat: ProcessStat): ObservedProgram {
  const link = readlinkSync(`/proc/${tid}/exe`);
  const exe = link.replace(/ \(deleted\)$/, '');
  const words = readInitialStack({
    startStack: stat.startStack,
    argStart: stat.argStart,
    argEnd: stat.argEnd,
    envStart: stat.envStart,
    envEnd: stat.envEnd,
    read: (address, sizeBytes) => readSome(tid, address, sizeBytes),
  });
  return {
    exe,
    exeReplaced: exe !== link || isReplaced(tid, exe),
    execPath: readExecPath(tid),
    argv: words.argv,
    environ: words.environ,
    cwd: readlinkSync(`/proc/${tid}/cwd`),
    root: readlinkSync(`/proc/${tid}/root`),
  };
}

/** Another file stands at the path of the running one. */
function isReplaced(tid: number, exe: string): boolean {
  using root = new ProcessRoot(tid);
  const running = statSync(`/proc/${tid}/exe`);
  const named = root.stat(exe);
  return typeof named !== 'number' && (running.ino !== named.ino || running.dev !== named.dev);
}

function readExecPath(tid: number): string | null {
  const address = readAuxv(tid).get(AT_EXECFN);
  if (address === undefined) return null;
  const bytes = readSome(tid, address, 4097);
  const end = bytes.indexOf(0);
  return end <= 0 ? null : bytes.subarray(0, end).toString();
}

/** As many of the bytes as there are: memory may end at the next page. */
function readSome(tid: number, address: bigint, sizeBytes: number): Buffer {
  const all = readMemory(tid, address, sizeBytes);
  if (typeof all !== 'number') return all;
  const toPageEnd = 4096 - Number(address % 4096n);
  if (sizeBytes <= toPageEnd) return Buffer.alloc(0);
  const some = readMemory(tid, address, toPageEnd);
  return typeof some === 'number' ? Buffer.alloc(0) : some;
}

function observeSurroundings(pid: number, ppid: number): Surroundings {
  return {
    personality: Number.parseInt(textOr(`/proc/${pid}/personality`) ?? '0', 16),
    coredumpFilter: textOr(`/proc/${pid}/coredump_filter`),
    oomScoreAdj: numberOr(`/proc/${pid}/oom_score_adj`),
    timerSlackNs: numberOr(`/proc/${pid}/timerslack_ns`),
    ksmMergeAny: /^ksm_merge_any: yes$/m.test(textOr(`/proc/${pid}/ksm_stat`) ?? ''),
    memoryPolicy: memoryPolicy(pid),
    uidMap: parseIdMap(textOr(`/proc/${pid}/uid_map`) ?? ''),
    gidMap: parseIdMap(textOr(`/proc/${pid}/gid_map`) ?? ''),
    parent: ppid === 0 ? null : observeParent(ppid),
  };
}

/** Of the first mapping: a policy of the process shows in all that have none of their own. One page is read: the kernel walks what it prints. */
function memoryPolicy(pid: number): string | null {
  try {
    return readStart(`/proc/${pid}/numa_maps`, 4096).toString('latin1').split(' ')[1] ?? null;
  } catch {
    return null;
  }
}

function observeParent(pid: number): Surroundings['parent'] {
  const text = textOr(`/proc/${pid}/stat`);
  if (text === null) return null;
  const stat = parseStat(text);
  const limits = textOr(`/proc/${pid}/limits`);
  return {
    pid,
    comm: stat.comm,
    hasTerminal: stat.ttyNr !== 0,
    limits: limits === null ? null : parseLimits(limits),
    coredumpFilter: textOr(`/proc/${pid}/coredump_filter`),
  };
}

/** Before anything is parsed: pointers and the auxiliary vector of a 32-bit program have another size. */
function refuse32Bit(target: TargetProcess, tid: number): void {
  if (elfHeaderOf(tid)[4] === ELFCLASS64) return;
  throw new HotexecError({
    code: 'architecture-unsupported',
    message: `${target.name}: process ${target.pid} runs a 32-bit program; hotexec handles 64-bit programs only. Nothing was touched.`,
    hint: null,
  });
}

/** Who may trace need not be allowed to read the file. */
function elfHeaderOf(tid: number): Buffer {
  try {
    return readStart(`/proc/${tid}/exe`, 5);
  } catch (error) {
    if (!isDenied(error)) throw error;
    const path = readlinkSync(`/proc/${tid}/exe`).replace(/ \(deleted\)$/, '');
    const maps = parseMaps(readFileSync(`/proc/${tid}/maps`, 'latin1'));
    const start = maps.find((mapping) => mapping.path === path && mapping.offset === 0n)?.start;
    const header = start === undefined ? -1 : readMemory(tid, start, 5);
    if (typeof header === 'number') throw error;
    return header;
  }
}

function textOr(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Not on this kernel, or not for this reader: the caller knows what its absence means.
    return null;
  }
}

function numberOr(path: string): number | null {
  const text = textOr(path);
  return text === null ? null : Number(text);
}

function readError(error: unknown, target: TargetProcess): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (isDenied(error)) {
    return new HotexecError(
      {
        code: 'not-permitted',
        message: `${target.name}: process ${target.pid} belongs to another user or another user namespace, or has forbidden it (PR_SET_DUMPABLE), and this user may not look into it. Nothing was touched.`,
        hint: 'run hotexec as root, with CAP_SYS_PTRACE, or as the user of the process; `hotexec doctor TARGET` tells more',
      },
      { cause: error },
    );
  }
  if (code === 'ENOENT' || code === 'ESRCH') {
    return new HotexecError(
      {
        code: 'target-not-found',
        message: `${target.name}: process ${target.pid} ended while it was looked at.`,
        hint: null,
      },
      { cause: error },
    );
  }
  return error;
}

function readStart(path: string, sizeBytes: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(sizeBytes);
    return bytes.subarray(0, readSync(fd, bytes, 0, sizeBytes, 0));
  } finally {
    closeSync(fd);
  }
}
