// What can be set without the target's help: limits, scheduling, and the attributes that are files in /proc.
import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { arch } from '../../arch/arch.ts';
import { describeErrno } from '../../native/errno.ts';
import { allocate } from '../../native/memory.ts';
import { syscall } from '../../native/syscall.ts';
import { attempt, byEither, report, type Reset } from './context.ts';
import { resetLimits } from './limits.ts';

const defaultTimerSlackNs = '50000';
const PR_SET_TIMERSLACK = 29;
const PRIO_PROCESS = 0;

export function resetFromOutside(reset: Reset): void {
  const { held, observed } = reset;
  const { pid } = held;
  const { spec } = observed.target;
  const { environment } = observed;
  resetLimits(reset);
  const wantedOom = spec?.oomScoreAdj ?? null;
  if (wantedOom !== null && environment.oomScoreAdj !== wantedOom) {
    writeAttribute(reset, { path: `/proc/${pid}/oom_score_adj`, value: String(wantedOom), attribute: 'oom-score-adj' });
  }
  const filter = environment.parent?.coredumpFilter ?? null;
  if (filter !== null && environment.coredumpFilter !== filter) {
    writeAttribute(reset, { path: `/proc/${pid}/coredump_filter`, value: `0x${filter}`, attribute: 'coredump-filter' });
  }
  if (environment.timerSlackNs === null) {
    // Another process's is for CAP_SYS_NICE to read and write (fs/proc/base.c, timerslack_ns_write).
    attempt(reset, 'prctl', PR_SET_TIMERSLACK, Number(defaultTimerSlackNs), 0, 0, 0);
  } else if (String(environment.timerSlackNs) !== defaultTimerSlackNs) {
    writeAttribute(reset, { path: `/proc/${pid}/timerslack_ns`, value: defaultTimerSlackNs, attribute: 'timer-slack' });
  }
  resetScheduling(reset);
}

function writeAttribute(
  reset: Reset,
  change: { readonly path: string; readonly value: string; readonly attribute: string },
): void {
  try {
    writeFileSync(change.path, change.value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report(reset, change.attribute, `${change.attribute} could not be set to ${change.value}: ${why}`);
  }
}

const schedulingParameters = allocate(16);
const affinity = allocate(128);

function resetScheduling(reset: Reset): void {
  const { pid } = reset.held;
  const { observed } = reset;
  const parent = observed.environment.parent;
  const policy = syscall(arch.syscalls.sched_getscheduler, pid);
  if (policy > 0) {
    const answer = byEither(
      reset,
      () => syscall(arch.syscalls.sched_setscheduler, pid, 0, schedulingParameters.address),
      { call: ['sched_setscheduler', 0, 0, reset.room], bytes: schedulingParameters.bytes },
    );
    if (answer < 0)
      report(reset, 'scheduling-policy', `the scheduling policy stays ${policy}: ${describeErrno(answer)}`);
  }
  const nice = parent === null ? 0 : getPriority(parent.pid);
  if (getPriority(pid) !== nice) {
    const set = byEither(reset, () => syscall(arch.syscalls.setpriority, PRIO_PROCESS, pid, nice), {
      call: ['setpriority', PRIO_PROCESS, 0, nice],
    });
    if (set < 0) report(reset, 'nice', `nice stays ${getPriority(pid)}: ${describeErrno(set)}`);
  }
  // All CPUs: the kernel keeps to those of the cpuset, which is what a fresh container gets (runc does the same).
  affinity.bytes.fill(0xff);
  const answer = byEither(
    reset,
    () => syscall(arch.syscalls.sched_setaffinity, pid, affinity.bytes.length, affinity.address),
    { call: ['sched_setaffinity', 0, affinity.bytes.length, reset.room], bytes: affinity.bytes },
  );
  if (answer < 0) report(reset, 'affinity', `the CPU affinity could not be reset: ${describeErrno(answer)}`);
  const priority = syscall(arch.syscalls.ioprio_get, 1, pid);
  if (priority > 0 && priority >> 13 !== 0) {
    const set = byEither(reset, () => syscall(arch.syscalls.ioprio_set, 1, pid, 0), { call: ['ioprio_set', 1, 0, 0] });
    if (set < 0) report(reset, 'ioprio', `the I/O priority stays: ${describeErrno(set)}`);
  }
}
