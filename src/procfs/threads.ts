// The threads of one process: /proc/PID/task. New ones can appear until all of them are stopped, so list again then.
import { statSync } from 'node:fs';
import { listNumbers, readText, type Reading } from './read.ts';
import { statusField } from './status.ts';

/** The thread ids, ascending. */
export function listThreads(pid: number, proc = '/proc'): Reading<readonly number[]> {
  return listNumbers(`${proc}/${pid}/task`);
}

/**
 * How many threads a process has, those that have ended and are not yet collected too; 0: it is gone. A directory has a link from each one
 * in it, and two of its own (fs/proc/base.c proc_task_getattr).
 */
export function countThreads(pid: number): number {
  return Math.max(0, (statSync(`/proc/${pid}/task`, { throwIfNoEntry: false })?.nlink ?? 2) - 2);
}

/** The process of a thread; undefined: it has ended. */
export function processOf(tid: number): number | undefined {
  const status = readText(`/proc/${tid}/status`);
  const tgid = status.kind === 'read' ? statusField(status.content, 'Tgid') : undefined;
  return tgid === undefined ? undefined : Number(tgid);
}
