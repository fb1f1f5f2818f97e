import { describe, expect, it } from 'vitest';
import { describeSteps } from '../../../src/engine/describe-steps.ts';
import type { RestartPlan } from '../../../src/engine/plan.ts';
import type { Program } from '../../../src/engine/program.ts';
import type { PlannedCall } from '../../../src/protocol/plan.ts';
import { defaultRestartOptions, type RestartOptions } from '../../../src/protocol/request.ts';
import { observedProcess, unplanned, type Differences } from './observed.ts';

const program: Program = {
  path: Buffer.from('/usr/sbin/nginx'),
  argv: [Buffer.from('nginx'), Buffer.from('-g'), Buffer.from('daemon off;\n'), Buffer.from('x'.repeat(70))],
  environment: [Buffer.from('PASSWORD=secret'), Buffer.from('PATH=/bin')],
  cwd: '/srv',
  memory: null,
};

interface Given {
  readonly observed?: Differences;
  readonly plan?: Partial<RestartPlan>;
  readonly options?: Partial<RestartOptions>;
  readonly decided?: Partial<Pick<RestartPlan, 'drain' | 'handOver' | 'probation'>>;
}

/** As text, the memory addresses and this process's own pid apart. */
function steps({ observed = {}, plan = {}, options = {}, decided = {} }: Given = {}): string {
  const described = describeSteps(
    // Free addresses are looked for in the maps of a real process.
    observedProcess({ ...observed, tid: process.pid }),
    { ...unplanned, program, dryRun: true, ...plan, ...decided },
    { options: { ...defaultRestartOptions, ...options }, program },
  );
  const lines = described.flatMap(({ title, calls }) => [title].concat(calls.map(inWords)));
  return lines
    .join('\n')
    .replaceAll(String(process.pid), 'TID')
    .replaceAll(/0x[0-9a-f]{9,}/g, 'ADDRESS');
}

function inWords({ by, call, when }: PlannedCall): string {
  return `  ${by}: ${call}${when === null ? '' : ` (${when})`}`;
}

const busy: Differences = {
  status: { sigIgn: 0x1000n, umask: 0o077, thpEnabled: false },
  threads: [
    { tid: 4711, state: 'S' },
    { tid: 4712, state: 'S' },
  ],
  descriptors: [
    { fd: 1, closeOnExec: true, nonBlocking: false, statusFlags: 0 },
    { fd: 3, closeOnExec: false, nonBlocking: false, statusFlags: 0 },
    { fd: 4, closeOnExec: true, nonBlocking: false, statusFlags: 0 },
    { fd: 9, closeOnExec: true, nonBlocking: false, statusFlags: 0 },
  ],
  descendants: [
    { pid: 4750, pidInside: 9, ppid: 4711, comm: 'nginx', state: 'S', spared: false },
    { pid: 4790, pidInside: 12, ppid: 4711, comm: 'sh', state: 'S', spared: true },
  ],
  limits: { RLIMIT_NOFILE: { number: 7, soft: 65_536n, hard: 65_536n } },
  environment: { personality: 0x4_0000 },
};

const graceful: NonNullable<Given['decided']> = {
  drain: { kind: 'ask', signal: 3, graceMs: 10_000, preStop: null },
  handOver: {
    served: [
      { pid: 4711, fd: 6, inode: 81, name: 'tcp', address: '0.0.0.0:80', listens: true, kept: false },
      { pid: 4750, fd: 7, inode: 82, name: 'unix-stream', address: '/run/app.sock', listens: true, kept: false },
    ],
    refused: [],
  },
  probation: {
    limitMs: 10_000,
    until: 'listening',
    listeners: [{ protocol: 'tcp', address: '0.0.0.0:80', inode: 81 }],
    serves: true,
    catches: true,
  },
};

/** Of a graceful restart all the steps but those that every restart has, of which the title alone. */
function titledSteps(...known: readonly string[]): string {
  const threads = [4711, 4712].map((tid) => ({ tid, state: 'S' }) as const);
  let shown = true;
  return steps({ observed: { threads }, plan: { previous: program }, decided: graceful })
    .split('\n')
    .filter((line) => {
      if (!line.startsWith(' '))
        shown = !known.some((word) => line.startsWith(`${word}:`) || line.startsWith(`${word} what`));
      return shown || !line.startsWith(' ');
    })
    .join('\n');
}

describe('the steps of a restart, in words', () => {
  it('of a program that is as it was started', () => {
    expect(steps()).toMatchInlineSnapshot(`
      "Hold: stop the one thread
        hotexec: ptrace(PTRACE_SEIZE, TID, 0, PTRACE_O_TRACESYSGOOD|PTRACE_O_TRACEEXEC)
        hotexec: ptrace(PTRACE_INTERRUPT, TID)
        hotexec: read /proc/4711/stat, /proc/4711/cgroup: start time 429055 and container must be the same
        hotexec: tgkill(4711, TID, SIGSTOP); ptrace(PTRACE_CONT, TID, 0, SIGSTOP): a group-stop
        hotexec: read /proc/4711/task/*/stat until every thread is stopped, for 1 s at most
        hotexec: ptrace(PTRACE_GETREGS, TID), ptrace(PTRACE_GETSIGMASK, TID): written to the journal
        hotexec: ptrace(PTRACE_SETSIGMASK, TID, ~0)
      Stage: scratch memory with the path, arguments and environment
        target: mmap(ADDRESS, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE, -1, 0)
        hotexec: process_vm_writev(TID, 471 bytes at ADDRESS)
      Prove: a dry run of the exec in a child that shares the memory
        target: clone(CLONE_VM)
        hotexec: ptrace(PTRACE_SETOPTIONS, CHILD, PTRACE_O_EXITKILL)
        child: execve("/usr/sbin/nginx", ["nginx", "-g", "daemon off;\\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"], 2 variables)
        hotexec: tgkill(CHILD, CHILD, SIGKILL), before its first instruction
        target: wait4(CHILD, NULL, WNOHANG|__WALL)
        target: rt_sigtimedwait([SIGCHLD], 0 s) (the dry run succeeded)
      Swap: close nothing, start the program
        target: execve("/usr/sbin/nginx", ["nginx", "-g", "daemon off;\\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"], 2 variables)   <- the point of no return
      Reset what execve lets through, before the first instruction
        hotexec: tgkill(4711, 4711, SIGSTOP): the group-stop again, which execve has ended
        target: rt_sigaction(SIGNAL, SIG_IGN), then SIG_DFL (a signal is pending)
        target: setitimer(ITIMER_REAL, 0)
        target: setitimer(ITIMER_VIRTUAL, 0)
        target: setitimer(ITIMER_PROF, 0)
        target: prctl(PR_SET_PDEATHSIG, 0)
        target: prctl(PR_SET_CHILD_SUBREAPER, 0)
        target: prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR)
        target: prctl(PR_SET_TSC, PR_TSC_ENABLE)
        target: prctl(PR_GET_SECUREBITS)
        target: prctl(PR_GET_MDWE)
        target: unshare(CLONE_SYSVSEM)
        target: capset(the inheritable set of the spec) (inheritable or ambient capabilities are more than the spec has)
        target: chdir("/srv")
        hotexec: sched_setaffinity(4711, all CPUs of the cpuset)
      Let go
        hotexec: ptrace(PTRACE_SETREGS, 4711): its own registers, at an event stop
        hotexec: tgkill(4711, 4711, SIGCONT), taken back before it is delivered
        hotexec: ptrace(PTRACE_SETSIGMASK, 4711, 0)
        hotexec: ptrace(PTRACE_DETACH, 4711)
      Verify
        hotexec: read /proc/4711/stat and status: it runs, untraced"
    `);
  });

  it('of a program with all that has to be put back', () => {
    expect(steps({ observed: busy, plan: { keepFds: [9], holder: true } })).toMatchInlineSnapshot(`
      "Hold: stop all 2 threads
        hotexec: ptrace(PTRACE_SEIZE, TID, 0, PTRACE_O_TRACESYSGOOD|PTRACE_O_TRACEEXEC)
        hotexec: ptrace(PTRACE_INTERRUPT, TID)
        hotexec: read /proc/4711/stat, /proc/4711/cgroup: start time 429055 and container must be the same
        hotexec: tgkill(4711, TID, SIGSTOP); ptrace(PTRACE_CONT, TID, 0, SIGSTOP): a group-stop
        hotexec: read /proc/4711/task/*/stat until every thread is stopped, for 1 s at most
        hotexec: ptrace(PTRACE_GETREGS, TID), ptrace(PTRACE_GETSIGMASK, TID): written to the journal
        hotexec: ptrace(PTRACE_SETSIGMASK, TID, ~0)
      Stage: scratch memory with the path, arguments and environment
        target: mmap(ADDRESS, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE, -1, 0)
        hotexec: process_vm_writev(TID, 471 bytes at ADDRESS)
      Prove: a dry run of the exec in a child that shares the memory
        target: clone(CLONE_VM)
        hotexec: ptrace(PTRACE_SETOPTIONS, CHILD, PTRACE_O_EXITKILL)
        child: execve("/usr/sbin/nginx", ["nginx", "-g", "daemon off;\\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"], 2 variables)
        hotexec: tgkill(CHILD, CHILD, SIGKILL), before its first instruction
        target: wait4(CHILD, NULL, WNOHANG|__WALL)
        target: rt_sigtimedwait([SIGCHLD], 0 s) (the dry run succeeded)
      Swap: close descriptors 3, 4, start the program
        target: fcntl(1, F_SETFD, 0)
        target: fcntl(9, F_SETFD, 0)
        target: fcntl(3, F_SETFD, FD_CLOEXEC)
        target: personality(0)
        target: clone(CLONE_VM) (a holder keeps the old memory, so that freeing it is not part of the hold)
        child: close_range(0, ~0, 0)
        target: execve("/usr/sbin/nginx", ["nginx", "-g", "daemon off;\\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"], 2 variables)   <- the point of no return
      Reset what execve lets through, before the first instruction
        hotexec: tgkill(4711, 4711, SIGSTOP): the group-stop again, which execve has ended
        hotexec: tgkill(4750, 4750, SIGKILL) (nginx)
        target: wait4(9, NULL, WNOHANG|__WALL)
        target: rt_sigaction(SIGPIPE, SIG_DFL)
        target: rt_sigaction(SIGNAL, SIG_IGN), then SIG_DFL (a signal is pending)
        target: setitimer(ITIMER_REAL, 0)
        target: setitimer(ITIMER_VIRTUAL, 0)
        target: setitimer(ITIMER_PROF, 0)
        target: prctl(PR_SET_PDEATHSIG, 0)
        target: prctl(PR_SET_CHILD_SUBREAPER, 0)
        target: prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR)
        target: prctl(PR_SET_TSC, PR_TSC_ENABLE)
        target: prctl(PR_GET_SECUREBITS)
        target: prctl(PR_GET_MDWE)
        target: prctl(PR_SET_THP_DISABLE, 0)
        target: unshare(CLONE_SYSVSEM)
        target: capset(the inheritable set of the spec) (inheritable or ambient capabilities are more than the spec has)
        target: umask(022)
        target: chdir("/srv")
        hotexec: prlimit64(4711, RLIMIT_NOFILE, {1024, 1048576})
        hotexec: sched_setaffinity(4711, all CPUs of the cpuset)
      Let go
        hotexec: ptrace(PTRACE_SETREGS, 4711): its own registers, at an event stop
        hotexec: tgkill(4711, 4711, SIGCONT), taken back before it is delivered
        hotexec: ptrace(PTRACE_SETSIGMASK, 4711, 0)
        hotexec: ptrace(PTRACE_DETACH, 4711)
      Verify
        hotexec: tgkill(HOLDER, HOLDER, SIGKILL), then a second short hold
        target: wait4(HOLDER, NULL, WNOHANG|__WALL)
        hotexec: read /proc/4711/stat and status: it runs, untraced"
    `);
  });

  it('of a program that finishes first and whose listeners are handed over', () => {
    expect(titledSteps('Hold', 'Stage', 'Prove', 'Swap', 'Reset')).toMatchInlineSnapshot(`
      "Keep 2 sockets open, from here until the new program has bound the same address
        hotexec: pidfd_getfd(pidfd_open(4711), 6): tcp 0.0.0.0:80
        hotexec: pidfd_getfd(pidfd_open(4750), 7): unix-stream /run/app.sock
      Hold: stop all 2 threads
      Stage: scratch memory with the path, arguments and environment
      Prove: a dry run of the exec in a child that shares the memory
      Let it go on, traced
        target: munmap(the scratch memory)
        hotexec: ptrace(PTRACE_SETREGS, TID): its own registers, at an event stop
        hotexec: ptrace(PTRACE_SEIZE, each other thread)
        hotexec: tgkill(4711, TID, SIGCONT), taken back before it is delivered
        hotexec: ptrace(PTRACE_SETSIGMASK, TID): its own mask
        hotexec: ptrace(PTRACE_SYSCALL, each thread)
      Drain: the program finishes by itself, within 10 s
        hotexec: kill(4711, SIGQUIT)   <- the point of no return
        hotexec: answer it with 0, unmade (it makes shutdown or unlink of a socket that is kept)
        hotexec: wait for exit_group, the exit of the last thread, or a fatal signal: caught before it happens
        hotexec: ptrace(PTRACE_INTERRUPT), and go on by force (it has not ended within 10 s)
      Hold again, where it would have ended
        hotexec: ptrace(PTRACE_SETREGS): back to before the call that would have ended it
        hotexec: tgkill(4711, THREAD, SIGSTOP); ptrace(PTRACE_CONT, THREAD, 0, SIGSTOP): a group-stop
        hotexec: ptrace(PTRACE_DETACH, each other thread), in the group-stop
        hotexec: ptrace(PTRACE_GETREGS, THREAD), ptrace(PTRACE_GETSIGMASK, THREAD): written to the journal
        hotexec: ptrace(PTRACE_SETSIGMASK, THREAD, ~0)
      Stage: scratch memory with the path, arguments and environment
      Swap: close nothing, start the program
      Reset what execve lets through, before the first instruction
      Let it go, traced
        hotexec: ptrace(PTRACE_SETREGS, 4711): its own registers, at an event stop
        hotexec: tgkill(4711, 4711, SIGCONT), taken back before it is delivered
        hotexec: ptrace(PTRACE_SETSIGMASK, 4711, 0)
        hotexec: ptrace(PTRACE_SYSCALL, 4711)
      Hand over: the new program binds an address, and has the socket that is kept
        hotexec: pidfd_getfd(CALLER, FD), setsockopt(what it has set on FD) (it binds an address of these)
        target: socketpair, recvmsg(SCM_RIGHTS), close: the socket comes into the process that binds (the same)
        target: bind(FD, tcp 0.0.0.0:80) -> dup3(KEPT, FD), answered with 0
        target: bind(FD, unix-stream /run/app.sock) -> dup3(KEPT, FD), answered with 0
        hotexec: answer it with 0, unmade (it makes unlink of a path that is kept)
        hotexec: close(KEPT): what waits in it is lost (nobody has bound it when the watching ends)
      Watch the new program until it listens again, 10 s at most
        hotexec: read /proc/4711/net/tcp, tcp6, udp, udp6, unix: where it listens
        hotexec: catch exit_group and fatal signals, and start the previous program in its place: hold, swap, reset, let go (it fails)
        hotexec: ptrace(PTRACE_INTERRUPT), ptrace(PTRACE_DETACH, each thread)
      Verify
        hotexec: read /proc/4711/stat and status: it runs, untraced"
    `);
  });

  it('have the dry run before the drain, and none after it', () => {
    const all = steps({ decided: graceful });
    expect(all.match(/^Prove/gm)).toHaveLength(1);
    expect(all.match(/the point of no return/g)).toHaveLength(1);
    expect(all.indexOf('Prove')).toBeLessThan(all.indexOf('the point of no return'));
  });

  it('watch from afar where nothing is caught and nothing handed over', () => {
    const probation = { limitMs: 1000, until: 'time', listeners: [], serves: false, catches: false } as const;
    expect(steps({ decided: { probation } }).split('\n').slice(-9).join('\n')).toMatchInlineSnapshot(`
      "Let go
        hotexec: ptrace(PTRACE_SETREGS, 4711): its own registers, at an event stop
        hotexec: tgkill(4711, 4711, SIGCONT), taken back before it is delivered
        hotexec: ptrace(PTRACE_SETSIGMASK, 4711, 0)
        hotexec: ptrace(PTRACE_DETACH, 4711)
      Watch the new program for 1 s
        hotexec: read /proc/4711/stat: it lives
      Verify
        hotexec: read /proc/4711/stat and status: it runs, untraced"
    `);
  });

  it('do not touch children with --children keep', () => {
    expect(steps({ observed: busy, options: { children: 'keep' } })).not.toContain('4750');
  });

  it('have no dry run on kernels that make none', () => {
    expect(steps({ plan: { dryRun: false } })).not.toContain('dry run');
  });

  it('leave umask, personality and limits alone outside of a container', () => {
    const bare = steps({ observed: { ...busy, target: { container: null }, spec: null } });
    expect(bare).not.toMatch(/umask\(|personality\(|prlimit64\(|sched_setaffinity\(/);
  });

  it('leave a personality alone that the spec asks for', () => {
    expect(steps({ observed: { ...busy, spec: { personality: 'LINUX32' } } })).not.toContain('personality(');
  });

  it('never show a value of the environment', () => {
    expect(steps()).not.toContain('secret');
  });
});
