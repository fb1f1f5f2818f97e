// What a gdb is told, in words of a plan: beside describe-steps.ts, which tells the same of ptrace.
import type { PlannedStep } from '../../protocol/plan.ts';
import type { RestartOptions } from '../../protocol/request.ts';
import type { Observed } from '../observe.ts';
import { call, step } from '../planned-step.ts';

export function gdbHoldSteps({ target, threads }: Observed, { gdbCall }: RestartOptions): PlannedStep {
  const { pid } = target;
  return step(
    `Hold, by gdb: stop ${threads.length === 1 ? 'the one thread' : `all ${threads.length} threads`}`,
    call('hotexec', 'gdb -nx -nh -q --interpreter=mi3, told what it must not do (symbols, libraries, questions)'),
    call('hotexec', `pidfd_send_signal(${pid}, SIGSTOP): a group-stop, into which the threads fall back if gdb goes`),
    call('hotexec', `read /proc/${pid}/task/*/stat until every thread is stopped, for 1 s at most`),
    call('gdb', `attach ${pid}`),
    call(
      'hotexec',
      `read /proc/${pid}/stat, /proc/${pid}/cgroup: start time ${target.startTicks} and container must be the same`,
    ),
    call('gdb', 'set scheduler-locking on: one thread moves, the others stay'),
    call(
      'gdb',
      gdbCall === 'libc' ? 'catch exec' : 'catch exec, catch syscall: first mmap, munmap and rt_sigprocmask, then all',
    ),
    call('gdb', 'read the registers: written to the journal'),
    ...(gdbCall === 'libc'
      ? [call('gdb', 'from here on each call of the target is `call (long)syscall(...)` of its C library')]
      : []),
  );
}

/** Once there is scratch memory to point to. */
export function gdbSignalSteps({ gdbCall }: RestartOptions): readonly PlannedStep[] {
  return gdbCall === 'libc'
    ? []
    : [step('Signals wait', call('target', 'rt_sigprocmask(SIG_SETMASK, ~0), the one before written to the journal'))];
}

export function gdbReleaseSteps({ target }: Observed): PlannedStep {
  return step(
    'Let go',
    call('target', 'rt_sigprocmask(SIG_SETMASK, none)'),
    call('gdb', 'its own registers'),
    call('hotexec', `pidfd_send_signal(${target.pid}, SIGCONT), which gdb does not pass on`),
    call('gdb', 'detach'),
  );
}
