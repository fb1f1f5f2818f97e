// The threads of one process: /proc/PID/task. New ones can appear until all of them are stopped, so list again then.
import { listNumbers, type Reading } from './read.ts';

/** The thread ids, ascending. */
export function listThreads(pid: number, proc = '/proc'): Reading<readonly number[]> {
  return listNumbers(`${proc}/${pid}/task`);
}
