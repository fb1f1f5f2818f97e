// The old program's children are cleared in the hold, before the new program runs: they may hold its ports and files.
import { SIGKILL } from '../tracer/signals.ts';
import { sleep } from '../tracer/ptrace/wait.ts';
import { threadState } from '../tracer/thread-states.ts';
import { listDescendants, type Descendant } from './descendants.ts';
import type { Hold } from './hold.ts';
import { signalThread } from './remote-signal.ts';
import { reapChild } from './undo.ts';

const rounds = 20;
const deathDeadlineMs = 2_000;

export interface ClearedChildren {
  readonly killed: number;
  /** Those that did not end in time (state D). */
  readonly left: readonly Descendant[];
}

/** Kills all descendants that are not spared and lets the target collect them. Registers must be borrowed. */
export function clearChildren(held: Hold, ours: ReadonlySet<number>): ClearedChildren {
  let killed = 0;
  // A child that forks while it is killed leaves another: look again until none is there.
  let left = notSpared(held.pid, ours);
  for (let round = 0; round < rounds; round++) {
    const living = left.filter((child) => child.state !== 'Z');
    if (living.length === 0) break;
    for (const child of living) {
      if (signalThread(held, { pid: child.pid, tid: child.pid }, SIGKILL) === 0) killed++;
    }
    awaitDeath(living);
    left = notSpared(held.pid, ours);
  }
  for (const child of left.filter((entry) => entry.state === 'Z' && entry.ppid === held.pid))
    reapChild(held, child.pidInside);
  return { killed, left: left.filter((child) => child.state !== 'Z') };
}

function notSpared(pid: number, ours: ReadonlySet<number>): readonly Descendant[] {
  return listDescendants(pid, ours).filter((child) => !child.spared);
}

/** Until each is a zombie or gone. */
export function awaitDeath(children: readonly { readonly pid: number }[]): void {
  const deadlineMs = performance.now() + deathDeadlineMs;
  while (children.some((child) => isLiving(child.pid)) && performance.now() < deadlineMs) sleep(200_000);
}

function isLiving(pid: number): boolean {
  return !'ZX'.includes(threadState(pid, pid));
}
