// The drain and the hand-over in words: what comes before the swap when the old program finishes by itself, and what after it when the new
// one is watched. In the order of src/restart.ts, as describe-steps.ts is.
import type { PlannedHook, PlannedStep } from '../protocol/plan.ts';
import { signalName } from '../tracer/signals.ts';
import type { Asked } from './drain.ts';
import type { HandOverPlan } from './handover/plan.ts';
import type { Observed } from './observe.ts';
import { call, step } from './planned-step.ts';
import type { ProbationPlan } from './probation.ts';

/** Before the hold: the engine has the sockets too, and the kernel goes on queueing connections in them. */
export function keepSteps({ served }: HandOverPlan): PlannedStep {
  return step(
    `Keep ${served.length === 1 ? 'the socket' : `${served.length} sockets`} open, from here until the new program has bound the same address`,
    ...served.map(({ pid, fd, name, address }) =>
      call('hotexec', `pidfd_getfd(pidfd_open(${pid}), ${fd}): ${name} ${address}`),
    ),
  );
}

/** The end of the hold that proves: nothing of it is left, but that the program is traced. */
export function goOnTracedSteps({ tid, target, threads }: Observed): PlannedStep {
  const { pid } = target;
  return step(
    'Let it go on, traced',
    call('target', 'munmap(the scratch memory)'),
    call('hotexec', `ptrace(PTRACE_SETREGS, ${tid}): its own registers, at an event stop`),
    ...(threads.length === 1 ? [] : [call('hotexec', 'ptrace(PTRACE_SEIZE, each other thread)')]),
    call('hotexec', `tgkill(${pid}, ${tid}, SIGCONT), taken back before it is delivered`),
    call('hotexec', `ptrace(PTRACE_SETSIGMASK, ${tid}): its own mask`),
    call('hotexec', 'ptrace(PTRACE_SYSCALL, each thread)'),
  );
}

export function drainSteps(
  { target }: Observed,
  { signal, graceMs, preStop }: Asked,
  { served }: HandOverPlan,
): PlannedStep {
  const holds = served.length > 0;
  const noReturn = '   <- the point of no return';
  return step(
    `Drain: the program finishes by itself, within ${graceMs / 1000} s`,
    ...(preStop === null
      ? []
      : [call('hotexec', `run the preStop hook (${preStop}), and wait for its end${noReturn}`)]),
    ...(signal === null
      ? []
      : [call('hotexec', `kill(${target.pid}, ${signalName(signal)})${preStop === null ? noReturn : ''}`)]),
    ...(holds
      ? [call('hotexec', 'answer it with 0, unmade', 'it makes shutdown or unlink of a socket that is kept')]
      : []),
    call('hotexec', 'wait for exit_group, the exit of the last thread, or a fatal signal: caught before it happens'),
    call(
      'hotexec',
      'ptrace(PTRACE_INTERRUPT), and go on by force',
      signal === null ? 'it has not ended when the hook has' : `it has not ended within ${graceMs / 1000} s`,
    ),
  );
}

/** The second hold, of a program that stands right before its end. */
export function captureSteps({ target }: Observed): PlannedStep {
  return step(
    'Hold again, where it would have ended',
    call('hotexec', 'ptrace(PTRACE_SETREGS): back to before the call that would have ended it'),
    call('hotexec', `tgkill(${target.pid}, THREAD, SIGSTOP); ptrace(PTRACE_CONT, THREAD, 0, SIGSTOP): a group-stop`),
    call('hotexec', 'ptrace(PTRACE_DETACH, each other thread), in the group-stop'),
    call('hotexec', 'ptrace(PTRACE_GETREGS, THREAD), ptrace(PTRACE_GETSIGMASK, THREAD): written to the journal'),
    call('hotexec', 'ptrace(PTRACE_SETSIGMASK, THREAD, ~0)'),
  );
}

export function postStartSteps({ action, withinMs }: PlannedHook): PlannedStep {
  return step(
    `Run the postStart hook, which has to succeed within ${withinMs / 1000} s`,
    call('hotexec', `run the postStart hook (${action})`),
  );
}

/** Whichever process or thread of the new program binds. */
export function giveSteps({ served }: HandOverPlan): PlannedStep {
  return step(
    'Hand over: the new program binds an address, and has the socket that is kept',
    call('hotexec', 'pidfd_getfd(CALLER, FD), setsockopt(what it has set on FD)', 'it binds an address of these'),
    call('target', 'socketpair, recvmsg(SCM_RIGHTS), close: the socket comes into the process that binds', 'the same'),
    ...served.map(({ name, address }) =>
      call('target', `bind(FD, ${name} ${address}) -> dup3(KEPT, FD), answered with 0`),
    ),
    ...(served.some(({ name }) => name.startsWith('unix'))
      ? [call('hotexec', 'answer it with 0, unmade', 'it makes unlink of a path that is kept')]
      : []),
    call('hotexec', 'close(KEPT): what waits in it is lost', 'nobody has bound it when the watching ends'),
  );
}

export function watchSteps({ target }: Observed, probation: ProbationPlan, traced: boolean): PlannedStep {
  const { pid } = target;
  const { catches, until, limitMs } = probation;
  const long =
    until === 'listening' ? `until it listens again, ${limitMs / 1000} s at most` : `for ${limitMs / 1000} s`;
  return step(
    `Watch the new program ${long}`,
    ...(traced ? [] : [call('hotexec', `read /proc/${pid}/stat: it lives`)]),
    ...(probation.listeners.length === 0
      ? []
      : [call('hotexec', `read /proc/${pid}/net/tcp, tcp6, udp, udp6, unix: where it listens`)]),
    ...(traced && catches
      ? [
          call(
            'hotexec',
            'catch exit_group and fatal signals, and start the previous program in its place: hold, swap, reset, let go',
            'it fails',
          ),
        ]
      : []),
    ...(traced ? [call('hotexec', 'ptrace(PTRACE_INTERRUPT), ptrace(PTRACE_DETACH, each thread)')] : []),
  );
}
