// The threads of one process: /proc/PID/task. New ones can appear until all of them are stopped, so list again then.
import { listNumbers, readText, type Reading } from './read.ts';
import { statusField } from './status.ts';

/** The thread ids, ascending. */
export function listThreads(pid: number, proc = '/proc'): Reading<readonly number[]> {
  return listNumbers(`${proc}/${pid}/task`);
}

/** The process of a thread; undefined: it has ended. */
export function processOf(tid: number): number | undefined {
  const status = readText(`/proc/${tid}/status`);
  const tgid = status.kind === 'read' ? statusField(status.content, 'Tgid') : undefined;
  return tgid === undefined ? undefined : Number(tgid);
}
