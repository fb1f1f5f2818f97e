// The dry run: a child that shares the target's memory makes the very execve, and is killed before the new program's first instruction.
// It meets the same file, loader, argument size, seccomp filters, credentials and mounts; what the kernel refuses is refused here.
import { HotexecError } from '../errors.ts';
import { describeErrno, EAGAIN, ENOSYS } from '../native/errno.ts';
import type { Argument } from '../native/syscall.ts';
import { readText } from '../procfs/read.ts';
import { pendingSignals } from '../procfs/status.ts';
import { RemoteThread } from '../remote/remote-thread.ts';
import { TraceeGone } from '../tracer/errors.ts';
import * as ptrace from '../tracer/ptrace/requests.ts';
import { waitFor } from '../tracer/ptrace/wait.ts';
import { killTracee, signalBit, SIGCHLD } from '../tracer/signals.ts';
import { Tracee } from '../tracer/tracee.ts';
import { childrenOf } from './descendants.ts';
import type { ExecCall } from './exec-call.ts';
import type { Held } from './held.ts';
import { roomIn, type Scratch } from './stage.ts';

const CLONE_VM = 0x100;
const WNOHANG = 1;
const __WALL = 0x4000_0000;
const deadlineMs = 2_000;

/** A child of the target that shares its memory and never runs an instruction of its own. */
export interface SharingChild {
  readonly thread: RemoteThread;
  readonly pid: number;
  readonly pidInside: number;
}

/** Throws exec-refused when the program cannot be started. Returns a warning when the dry run could not be made. */
export function dryRun(held: Held, scratch: Scratch, call: ExecCall): string | null {
  if (!mayHaveChild(held, scratch)) return "no dry run was made: the target's seccomp filter does not allow it a child";
  const room = roomForSigchld(held, scratch);
  // Leaving this scope lets the target collect the child and takes its SIGCHLD back.
  using _change = held.change({ kind: 'child', before: childrenOf(held.pid, held.tracee.tid), room });
  const child = spawnSharing(held, scratch);
  if (typeof child === 'number') return `no dry run was made: clone answered ${describeErrno(child)}`;
  const failed = tryExec(child, call);
  killChild(child);
  if (failed !== null) throw execRefused(failed);
  return null;
}

/** Where a SIGCHLD of ours can be taken back to; null: one of the target's own waits already, and ours is lost in it. */
export function roomForSigchld(held: Held, scratch: Scratch): string | null {
  return hasPending(held.pid, SIGCHLD) ? null : `0x${roomIn(scratch).toString(16)}`;
}

/** Making a child, collecting it and taking its SIGCHLD back; the pid is not known yet, and filters do not look at it. */
export function mayHaveChild({ thread }: Held, scratch: Scratch): boolean {
  const room = roomIn(scratch);
  return (
    thread.may('clone', ...cloneArguments(scratch)) &&
    thread.may('wait4', 2, 0, WNOHANG | __WALL, 0) &&
    thread.may('rt_sigtimedwait', room, room + 16n, room + 160n, 8)
  );
}

/** A stack of zeros: if we were killed before the child has its EXITKILL, its first return leads to address 0 and ends it alone. */
function cloneArguments({ address, layout }: Scratch): readonly Argument[] {
  return [CLONE_VM, address + BigInt(layout.childStack), 0, 0, 0];
}

/** -errno when the target may not have another child: EAGAIN (pids limit) and ENOSYS are no reason to give up. */
export function spawnSharing(held: Held, scratch: Scratch): SharingChild | number {
  const { thread, tracee } = held;
  const startedMs = performance.now();
  const args = cloneArguments(scratch);
  thread.enter('clone', ...args);
  if (thread.advance() !== 'clone') {
    const errno = thread.result();
    thread.report('clone', args, errno, startedMs);
    if (errno === -EAGAIN || errno === -ENOSYS) return errno;
    throw new HotexecError({
      code: 'remote-call-failed',
      message: `clone in the target answered ${describeErrno(errno)}; it runs on unchanged.`,
      hint: 'it may be at its memory limit',
    });
  }
  const pid = ptrace.eventMessage(tracee.tid);
  const child = new Tracee(pid);
  child.next(performance.now() + deadlineMs);
  child.setOptions(ptrace.options.TRACESYSGOOD | ptrace.options.TRACEEXEC | ptrace.options.EXITKILL);
  thread.advance();
  const pidInside = thread.result();
  thread.report('clone', args, pidInside, startedMs);
  const remote = new RemoteThread(child, child.registers(), { ...thread.means, observe: null });
  return { thread: remote, pid, pidInside };
}

/** Null: the kernel took it. Else what it answered. */
function tryExec(child: SharingChild, { name, args }: ExecCall): string | null {
  try {
    child.thread.enter(name, ...args);
    return child.thread.advance() === 'exec' ? null : describeErrno(child.thread.result());
  } catch (error) {
    if (error instanceof TraceeGone) return `the end of the dry run: it ${error.message}`;
    throw error;
  }
}

/** Ends it and collects it as its tracer; from then on it is a zombie of the target. */
export function killChild(child: SharingChild): void {
  killTracee(child.pid);
  collect(child);
}

export function collect(child: SharingChild): void {
  for (;;) {
    const stop = waitFor(child.pid, performance.now() + deadlineMs);
    if (stop === 'gone' || stop === 'timeout' || stop.kind === 'exited' || stop.kind === 'killed') return;
  }
}

function hasPending(pid: number, signal: number): boolean {
  const text = readText(`/proc/${pid}/status`);
  return text.kind === 'read' && (pendingSignals(text.content) & signalBit(signal)) !== 0n;
}

export function execRefused(answer: string): HotexecError {
  return new HotexecError({
    code: 'exec-refused',
    message: `the kernel does not start the program: execve answered ${answer}. The old program runs on unchanged.`,
    hint: answer.includes('E2BIG')
      ? 'one argument or variable has at most 128 KiB, all together a quarter of the stack limit (execve(2))'
      : 'look at the file, its interpreter and its loader inside the container',
  });
}
