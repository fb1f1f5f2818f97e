// The way into a target whose engine was killed: whichever of its threads lives is seized, as soon as the kernel lets go of the last tracer's.
import { existsSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import type { JournalledChange } from '../journal/state.ts';
import type { TargetProcess } from '../protocol/request.ts';
import { TraceeGone } from '../tracer/errors.ts';
import { seizeThread } from '../tracer/hold.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { threadIds, threadState } from '../tracer/thread-states.ts';
import type { Tracee } from '../tracer/tracee.ts';
import { find } from './left-changes.ts';
import { isAlive } from './liveness.ts';

const patienceMs = 2_000;

/** Its first thread if that lives, else another that does. */
export function livingThread(pid: number): number {
  const living = threadIds(pid).filter((tid) => !'ZX'.includes(threadState(pid, tid)));
  return living.includes(pid) ? pid : (living[0] ?? pid);
}

/** The thread whose registers were borrowed; after an exec, or when it is gone, one that lives. */
function threadToHold(pid: number, changes: readonly JournalledChange[]): number {
  const held = find(changes, 'stopped')?.tid;
  return held !== undefined && !'ZX'.includes(threadState(pid, held)) ? held : livingThread(pid);
}

/**
 * The kernel detaches a dead tracer's tracees a moment after its files are closed: until then the seize is refused. And an execve may
 * still be going on, which takes the threads away: each try looks for one again. Throws mend-failed after two seconds.
 */
export function seizeAgain(target: TargetProcess, changes: readonly JournalledChange[]): Tracee {
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
