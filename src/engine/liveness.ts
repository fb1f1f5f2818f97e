// Whether the process that was meant is still alive. A killed process takes a moment to die: its leader may be a zombie while other
// threads are on their way out, and a leader that has left by itself is a zombie of a process that lives on.
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { listThreads } from '../procfs/threads.ts';
import { sleep } from '../tracer/ptrace/wait.ts';

const PF_EXITING = 0x4;
const patienceMs = 200;

interface Named {
  readonly pid: number;
  readonly startTicks: number;
}

/** At this moment: it has a thread that is not on its way out. */
export function isAlive({ pid, startTicks }: Named): boolean {
  const leader = readText(`/proc/${pid}/stat`);
  if (leader.kind !== 'read' || parseStat(leader.content).startTicks !== startTicks) return false;
  const threads = listThreads(pid);
  return threads.kind === 'read' && threads.content.some((tid) => isLiving(pid, tid));
}

/** Something says that it is dying: true only if it is still alive when a killed process would be dead. */
export function survives(target: Named): boolean {
  const deadlineMs = performance.now() + patienceMs;
  while (isAlive(target)) {
    if (performance.now() > deadlineMs) return true;
    sleep(1_000_000);
  }
  return false;
}

function isLiving(pid: number, tid: number): boolean {
  const text = readText(`/proc/${pid}/task/${tid}/stat`);
  if (text.kind !== 'read') return false;
  const { state, flags } = parseStat(text.content);
  return state !== 'Z' && state !== 'X' && (flags & PF_EXITING) === 0;
}
