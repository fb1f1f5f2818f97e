// Who looks all the time whether a thousand threads have stopped, or ended, takes the CPU from those that are to do it: it was held up by
// 4 ms of 26 on two CPUs (Linux 6.18). Short sleeps are no better: the scheduler moves no thread to a CPU that is idle for 50 us at a time.
import { availableParallelism } from 'node:os';
import { sleep } from './ptrace/wait.ts';

/** CPU time that the kernel takes at least for each thread, ns (measured with 1,000 of them). */
const costNs = { stop: 2_000, end: 18_000 } as const;

/** So many are done before it would matter. */
const fewThreads = 64;
const longestNs = 50_000_000;

/** Sleeps about as long as the kernel is busy anyway with stopping or ending so many threads of the target. */
export function leaveCpuTo(work: keyof typeof costNs, threads: number): void {
  if (threads > fewThreads) sleep(Math.min(longestNs, Math.floor((threads * costNs[work]) / availableParallelism())));
}
