// What an engine does so that the kernel can stop and end a thousand threads of the target on all CPUs at once. Measured on two, with 1,000
// threads and Linux 6.18; with a few threads it makes no difference, and nothing of it is done.
import { availableParallelism } from 'node:os';
import { arch } from '../arch/arch.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';
import { sleep } from './ptrace/wait.ts';

/** So many are stopped, or have ended, before it would matter. */
const fewThreads = 64;

/** CPU time that the kernel takes at least for the end of each thread, ns (measured with 1,000 of them). */
const endNs = 18_000;
const longestNs = 50_000_000;

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const lowestPriority = 1;

const schedParam = allocate(4);

/**
 * Sleeps about as long as the kernel is busy anyway with ending so many threads of the target. Who looks all the time whether they have
 * ended takes the CPU from those that are to do it: it was held up by 3 ms of 17. Short sleeps are no better: the scheduler moves no thread to
 * a CPU that is idle for 50 us at a time.
 */
export function leaveCpuToEnds(threads: number): void {
  if (threads > fewThreads) sleep(Math.min(longestNs, Math.floor((threads * endNs) / availableParallelism())));
}

/**
 * For the calls that wake all threads of the target, to stop or to end. The kernel draws a thread that wakes to the waker's CPU where its own
 * has the greater load (kernel/sched/fair.c, wake_affine_weight), and an engine that has just been started is that load: in a third of the
 * holds it drove all threads from its CPU to the other, 3 of 31 ms for nothing. A real-time thread is no load. The kernel refuses that without
 * CAP_SYS_NICE, and in a cgroup without a real-time budget; then, with one CPU alone, and for an engine that was given a policy of its own,
 * nothing is changed.
 */
export function withoutLoad<T>(threads: number, wake: () => T): T {
  if (threads <= fewThreads || !hasOtherCpu() || !isOrdinary() || !setPolicy(SCHED_FIFO, lowestPriority)) return wake();
  try {
    return wake();
  } finally {
    setPolicy(SCHED_OTHER, 0);
  }
}

/** On the only one, a real-time thread that looks again and again lets no thread of the target run meanwhile. */
function hasOtherCpu(): boolean {
  return availableParallelism() > 1;
}

function isOrdinary(): boolean {
  return syscall(arch.syscalls.sched_getscheduler, 0) === SCHED_OTHER;
}

/** Of this thread. Its nice value stays. */
function setPolicy(policy: number, priority: number): boolean {
  schedParam.view.setInt32(0, priority, true);
  return syscall(arch.syscalls.sched_setscheduler, 0, policy, schedParam.address) === 0;
}
