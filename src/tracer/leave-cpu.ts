// Who looks all the time whether a thousand threads have ended takes the CPU from those that are to do it: it was held up by 3 ms of 17 on
// two CPUs (Linux 6.18). Short sleeps are no better: the scheduler moves no thread to a CPU that is idle for 50 us at a time.
import { availableParallelism } from 'node:os';
import { sleep } from './ptrace/wait.ts';

/** CPU time that the kernel takes at least for the end of each thread, ns (measured with 1,000 of them). */
const endNs = 18_000;

/** So many have ended before it would matter. */
const fewThreads = 64;
const longestNs = 50_000_000;

/** Sleeps about as long as the kernel is busy anyway with ending so many threads of the target. */
export function leaveCpuToEnds(threads: number): void {
  if (threads > fewThreads) sleep(Math.min(longestNs, Math.floor((threads * endNs) / availableParallelism())));
}
