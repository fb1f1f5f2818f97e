// The resets of a restart in words, in the order of src/engine/reset/reset.ts.
import type { PlannedCall, PlannedStep } from '../protocol/plan.ts';
import type { RestartOptions } from '../protocol/request.ts';
import { limitNames } from '../procfs/limits.ts';
import { signalName } from '../tracer/signals.ts';
import type { Observed } from './observe.ts';
import { call, quote, step } from './planned-step.ts';
import type { Program } from './program.ts';
import { freshLimits } from './reset/limits.ts';
import { ignoredSignals } from './reset/signals.ts';

export function resetSteps(observed: Observed, options: RestartOptions, program: Program): PlannedStep {
  const { target, descendants, status } = observed;
  const children = options.children === 'kill' ? descendants.filter((child) => !child.spared) : [];
  const inContainer = target.container !== null;
  const umask = target.spec?.user?.umask ?? 0o022;
  return step(
    'Reset what execve lets through, before the first instruction',
    call('hotexec', `tgkill(${target.pid}, ${target.pid}, SIGSTOP): the group-stop again, which execve has ended`),
    ...children.flatMap((child) => [
      call('hotexec', `tgkill(${child.pid}, ${child.pid}, SIGKILL) (${child.comm})`),
      call('target', `wait4(${child.pidInside}, NULL, WNOHANG|__WALL)`),
    ]),
    ...ignoredSignals(status, inContainer).toReset.map((signal) =>
      call('target', `rt_sigaction(${signalName(signal)}, SIG_DFL)`),
    ),
    call('target', 'rt_sigaction(SIGNAL, SIG_IGN), then SIG_DFL', 'a signal is pending'),
    ...['ITIMER_REAL', 'ITIMER_VIRTUAL', 'ITIMER_PROF'].map((timer) => call('target', `setitimer(${timer}, 0)`)),
    ...[
      'PR_SET_PDEATHSIG, 0',
      'PR_SET_CHILD_SUBREAPER, 0',
      'PR_MCE_KILL, PR_MCE_KILL_CLEAR',
      'PR_SET_TSC, PR_TSC_ENABLE',
      'PR_GET_SECUREBITS',
      'PR_GET_MDWE',
    ].map((what) => call('target', `prctl(${what})`)),
    ...(status.thpEnabled === false ? [call('target', 'prctl(PR_SET_THP_DISABLE, 0)')] : []),
    call('target', 'unshare(CLONE_SYSVSEM)'),
    ...(inContainer
      ? [
          call(
            'target',
            'capset(the inheritable set of the spec)',
            'inheritable or ambient capabilities are more than the spec has',
          ),
        ]
      : []),
    ...(inContainer && status.umask !== umask ? [call('target', `umask(0${umask.toString(8)})`)] : []),
    ...(program.cwd !== null && program.cwd !== observed.program.cwd
      ? [call('target', `chdir(${quote(program.cwd)})`)]
      : []),
    ...(inContainer ? outsideResets(observed) : []),
  );
}

function outsideResets(observed: Observed): readonly PlannedCall[] {
  const { pid } = observed.target;
  const wanted = freshLimits(observed);
  const limits = limitNames.flatMap((name) => {
    const have = observed.limits[name];
    const want = wanted[name];
    if (have === undefined || want === undefined || (want.soft === have.soft && want.hard === have.hard)) return [];
    return [call('hotexec', `prlimit64(${pid}, ${name}, {${want.soft}, ${want.hard}})`)];
  });
  return [...limits, call('hotexec', `sched_setaffinity(${pid}, all CPUs of the cpuset)`)];
}
