// The end of a gdb that an engine had started and did not live to end. The kernel lets its tracees fall back into the group-stop they are in.
import type { Change } from '../journal/change.ts';
import { ProcessHandle } from '../native/pidfd.ts';
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { SIGKILL } from '../tracer/signals.ts';

const patienceMs = 2_000;

/** Kills it, if the number is still its own, and waits for its end. */
export function endTracer({ pid, startTicks }: Extract<Change, { kind: 'tracer' }>): void {
  const handle = ProcessHandle.open(pid);
  if (typeof handle === 'number') return;
  using gdb = handle;
  if (!isThere(pid, startTicks)) return;
  gdb.signal(SIGKILL);
  const deadlineMs = performance.now() + patienceMs;
  while (isThere(pid, startTicks) && performance.now() < deadlineMs) sleep(1_000_000);
}

/** A zombie has let go of what it traced. */
function isThere(pid: number, startTicks: number): boolean {
  const text = readText(`/proc/${pid}/stat`);
  if (text.kind !== 'read') return false;
  const stat = parseStat(text.content);
  return stat.startTicks === startTicks && stat.state !== 'Z' && stat.state !== 'X';
}
