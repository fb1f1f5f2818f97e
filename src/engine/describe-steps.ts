// The steps of a restart in words: the very system calls, in their order, with the values they would have now. What the hold alone can
// tell (registers, flags that change meanwhile) is named instead. Kept beside restart.ts: who changes one changes the other.
import type { RestartOptions } from '../protocol/request.ts';
import type { PlannedStep } from '../protocol/plan.ts';
import {
  captureSteps,
  drainSteps,
  giveSteps,
  goOnTracedSteps,
  keepSteps,
  postStartSteps,
  watchSteps,
} from './describe-drain.ts';
import { resetSteps } from './describe-reset.ts';
import { execArguments } from './exec-call.ts';
import { gdbHoldSteps, gdbReleaseSteps, gdbSignalSteps } from './gdb/describe.ts';
import type { Observed } from './observe.ts';
import type { RestartPlan } from './plan.ts';
import { call, quote, step } from './planned-step.ts';
import type { Program } from './program.ts';
import { plannedHooks } from './running-hook.ts';
import { chooseScratch } from './stage.ts';
import { hasOddPersonality, planDescriptors } from './swap.ts';

export function describeSteps(
  observed: Observed,
  plan: RestartPlan,
  { options, program }: { readonly options: RestartOptions; readonly program: Program },
): readonly PlannedStep[] {
  const { drain, handOver, probation } = plan;
  const handsOver = handOver.served.length > 0;
  const traced = (probation?.catches === true && plan.previous !== null) || handsOver;
  const staged = [scratchSteps(observed, program), ...(program.memory === null ? [] : [memorySteps(observed)])];
  const byGdb = options.driver === 'gdb';
  const proved = byGdb
    ? [gdbHoldSteps(observed, options), ...staged, ...gdbSignalSteps(options)]
    : [holdSteps(observed), ...staged, ...(plan.dryRun ? [dryRunSteps(program)] : [])];
  return [
    ...(handsOver ? [keepSteps(handOver)] : []),
    ...proved,
    ...(drain.kind === 'ask'
      ? [goOnTracedSteps(observed), drainSteps(observed, drain, handOver), captureSteps(observed), ...staged]
      : []),
    swapSteps(observed, plan, program),
    resetSteps(observed, options, program),
    byGdb ? gdbReleaseSteps(observed) : releaseSteps(observed, traced),
    ...(handsOver ? [giveSteps(handOver)] : []),
    ...plannedHooks(drain, options)
      .filter(({ hook }) => hook === 'postStart')
      .map(postStartSteps),
    ...(probation === null ? [] : [watchSteps(observed, probation, traced)]),
    finishSteps(observed, plan),
  ];
}

function holdSteps({ tid, target, threads }: Observed): PlannedStep {
  const { pid } = target;
  return step(
    `Hold: stop ${threads.length === 1 ? 'the one thread' : `all ${threads.length} threads`}`,
    call('hotexec', `ptrace(PTRACE_SEIZE, ${tid}, 0, PTRACE_O_TRACESYSGOOD|PTRACE_O_TRACEEXEC)`),
    call('hotexec', `ptrace(PTRACE_INTERRUPT, ${tid})`),
    call(
      'hotexec',
      `read /proc/${pid}/stat, /proc/${pid}/cgroup: start time ${target.startTicks} and container must be the same`,
    ),
    call('hotexec', `tgkill(${pid}, ${tid}, SIGSTOP); ptrace(PTRACE_CONT, ${tid}, 0, SIGSTOP): a group-stop`),
    call('hotexec', `read /proc/${pid}/task/*/stat until every thread is stopped, for 1 s at most`),
    call('hotexec', `ptrace(PTRACE_GETREGS, ${tid}), ptrace(PTRACE_GETSIGMASK, ${tid}): written to the journal`),
    call('hotexec', `ptrace(PTRACE_SETSIGMASK, ${tid}, ~0)`),
  );
}

function scratchSteps(observed: Observed, program: Program): PlannedStep {
  const { address, layout } = chooseScratch(observed.tid, execArguments(program));
  return step(
    'Stage: scratch memory with the path, arguments and environment',
    call(
      'target',
      `mmap(0x${address.toString(16)}, ${layout.sizeBytes}, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE, -1, 0)`,
    ),
    call('hotexec', `process_vm_writev(${observed.tid}, ${layout.bytes.length} bytes at 0x${address.toString(16)})`),
  );
}

/** The copy in hotexec's own memory has been made before the hold. */
function memorySteps({ target }: Observed): PlannedStep {
  return step(
    'Give it the program: a sealed file in memory becomes a descriptor of the target',
    call('target', 'socketpair(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0)'),
    call('hotexec', `pidfd_getfd(pidfd_open(${target.pid}), SENDER); sendmsg(SCM_RIGHTS)`),
    call('target', 'recvmsg(RECEIVER, MSG_DONTWAIT|MSG_CMSG_CLOEXEC)'),
    call('target', 'close(RECEIVER), close(SENDER)'),
  );
}

function dryRunSteps(program: Program): PlannedStep {
  return step(
    'Prove: a dry run of the exec in a child that shares the memory',
    call('target', 'clone(CLONE_VM)'),
    call('hotexec', 'ptrace(PTRACE_SETOPTIONS, CHILD, PTRACE_O_EXITKILL)'),
    call('child', execve(program)),
    call('hotexec', 'tgkill(CHILD, CHILD, SIGKILL), before its first instruction'),
    call('target', 'wait4(CHILD, NULL, WNOHANG|__WALL)'),
    call('target', 'rt_sigtimedwait([SIGCHLD], 0 s)', 'the dry run succeeded'),
  );
}

function swapSteps(observed: Observed, plan: RestartPlan, program: Program): PlannedStep {
  const descriptors = planDescriptors(observed.descriptors, plan.keepFds);
  const closed = observed.descriptors.map((entry) => entry.fd).filter((fd) => fd > 2 && !plan.keepFds.includes(fd));
  const marking =
    plan.keepFds.length === 0 && descriptors.set.length > 0
      ? [call('target', `close_range(3, ~0, CLOSE_RANGE_CLOEXEC)`)]
      : descriptors.set.map((fd) => call('target', `fcntl(${fd}, F_SETFD, FD_CLOEXEC)`));
  const holder = plan.holder
    ? [
        call('target', 'clone(CLONE_VM)', 'a holder keeps the old memory, so that freeing it is not part of the hold'),
        call('child', 'close_range(0, ~0, 0)'),
      ]
    : [];
  return step(
    `Swap: close ${closed.length === 0 ? 'nothing' : `descriptors ${closed.join(', ')}`}, start the program`,
    ...descriptors.cleared.map((fd) => call('target', `fcntl(${fd}, F_SETFD, 0)`)),
    ...marking,
    ...(hasOddPersonality(observed) ? [call('target', 'personality(0)')] : []),
    ...holder,
    call('target', `${execve(program)}${plan.drain.kind === 'ask' ? '' : '   <- the point of no return'}`),
  );
}

function releaseSteps({ target }: Observed, traced: boolean): PlannedStep {
  const { pid } = target;
  return step(
    traced ? 'Let it go, traced' : 'Let go',
    call('hotexec', `ptrace(PTRACE_SETREGS, ${pid}): its own registers, at an event stop`),
    call('hotexec', `tgkill(${pid}, ${pid}, SIGCONT), taken back before it is delivered`),
    call('hotexec', `ptrace(PTRACE_SETSIGMASK, ${pid}, 0)`),
    call('hotexec', traced ? `ptrace(PTRACE_SYSCALL, ${pid})` : `ptrace(PTRACE_DETACH, ${pid})`),
  );
}

function finishSteps({ target }: Observed, plan: RestartPlan): PlannedStep {
  return step(
    'Verify',
    ...(plan.holder
      ? [
          call('hotexec', 'tgkill(HOLDER, HOLDER, SIGKILL), then a second short hold'),
          call('target', 'wait4(HOLDER, NULL, WNOHANG|__WALL)'),
        ]
      : []),
    call('hotexec', `read /proc/${target.pid}/stat and status: it runs, untraced`),
  );
}

/** Values of the environment are secrets; how many there are is not. */
function execve({ path, argv, environment, memory }: Program): string {
  const words = `[${argv.map((word) => quote(word.toString())).join(', ')}], ${environment.length} variables`;
  return memory === null
    ? `execve(${quote(path.toString())}, ${words})`
    : `execveat(${path.toString()}, "", ${words}, AT_EMPTY_PATH)`;
}
