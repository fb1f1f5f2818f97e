// The work of a later hold: the program has changed since it was observed, by its shutdown or by being another one.
import { closeSync, lstatSync, unlinkSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ProcessRoot } from '../rootfs/open.ts';
import { mayHaveBoundByRing } from './handover/ring.ts';
import { observe } from './observe.ts';
import { planAgain, type RestartPlan } from './plan.ts';
import type { Work } from './work.ts';

/** The old program is at its end, and the new one takes its place. */
export function observeFinished(work: Work): Work {
  const { drain, holder, previous, probation } = work.plan;
  const finished = observeAgain(work, { drain, holder, previous, probation });
  // Its shutdown may have gone elsewhere; the new one starts where it ran.
  const before = work.observed.program.cwd;
  const hasMoved = finished.observed.program.cwd !== before;
  return hasMoved ? { ...finished, program: { ...finished.program, cwd: finished.program.cwd ?? before } } : finished;
}

/** The new program is at its end, and the previous one takes its place; after that there is no third. */
export function observeFailed(work: Work): Work {
  const { previous, probation } = work.plan;
  if (previous === null) throw new Error('what has no way back is not caught');
  giveUpBehindRing(work);
  giveUpRemoved(work);
  work.listeners.again();
  return observeAgain(
    { ...work, program: previous, file: work.previousFile, previousFile: null },
    { probation: probation === null ? null : { ...probation, catches: false } },
  );
}

/** It may have failed because it could not bind: the previous one, which may bind in the same way, is to find its addresses free. */
function giveUpBehindRing({ request, listeners, report }: Work): void {
  const waiting = listeners.listeners.filter(({ state }) => state === 'waiting');
  if (waiting.length === 0 || !mayHaveBoundByRing(request.target.pid)) return;
  for (const listener of waiting) listeners.giveUp(listener, 'an io_uring binds past hotexec');
  report.warn(
    'the new program has used an io_uring: if it binds through that, its sockets cannot be handed over (--no-handover). The previous program was started without them',
  );
}

/** It may have failed because a path was there that its predecessor had removed: the previous one is not to meet it too. */
function giveUpRemoved({ request, listeners }: Work): void {
  for (const listener of listeners.listeners) {
    if (listener.state !== 'waiting' || !listener.isUnlinked) continue;
    removeSocket(request.target.pid, Buffer.from(listener.bound.host, 'latin1').toString());
    listeners.giveUp(listener, 'the new program did not bind it, and its predecessor had removed its path');
  }
}

/** By an absolute path: who is to say where another was meant to lead. */
function removeSocket(pid: number, path: string): void {
  if (!path.startsWith('/')) return;
  using root = new ProcessRoot(pid);
  const directory = root.openDirectory(dirname(path));
  if (directory < 0) return;
  const name = `/proc/self/fd/${directory}/${basename(path)}`;
  try {
    if (lstatSync(name).isSocket()) unlinkSync(name);
  } catch {
    // It has gone by itself, or cannot be removed: then the program finds what is there.
  } finally {
    closeSync(directory);
  }
}

/** Past the point of no return: whoever gives up now has nothing to go back to, so nothing interrupts any more. */
function observeAgain(work: Work, kept: Partial<RestartPlan>): Work {
  const { request, program } = work;
  const observed = observe(request.target, work.host.ourselves);
  const plan = { ...planAgain(observed, program, request.options), ...kept };
  // What was brought along is in place, or has been put back.
  return { ...work, files: null, host: { ...work.host, interruption: () => null }, observed, plan };
}
