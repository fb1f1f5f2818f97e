// A signal to a process of the target: by hotexec, or where that may not send one (another user's, without CAP_KILL) by the held process
// itself, which has the same user as what it has started.
import { EPERM } from '../native/errno.ts';
import { sendToThread } from '../tracer/signals.ts';
import { innermostPid } from './descendants.ts';
import type { Hold } from './hold.ts';

/** To one thread, as tgkill(2). 0 or -errno. Registers must be borrowed. */
export function signalThread(held: Hold, { pid, tid }: { pid: number; tid: number }, signal: number): number {
  const answer = sendToThread(pid, tid, signal);
  if (answer !== -EPERM) return answer;
  const [pidInside, tidInside] = [innermostPid(pid), innermostPid(tid)];
  return pidInside === undefined || tidInside === undefined
    ? answer
    : held.thread.call('tgkill', pidInside, tidInside, signal);
}
