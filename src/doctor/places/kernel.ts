// The kernel: its version, and the build options that a restart reads from.
import { blocked, no, unknown, yes, type Finding, type Place } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';

interface Feature {
  readonly name: string;
  readonly since: readonly [major: number, minor: number];
  /** What is worse without it; null: nothing goes without it. */
  readonly without: string | null;
}

// From the man page of each call. Before commit 0258b5fd7c71 (5.16) a dying child that shares the target's memory takes
// the target with it, so none is started there.
const features: readonly Feature[] = [
  { name: 'PTRACE_SEIZE', since: [3, 4], without: null },
  { name: 'pidfd_open', since: [5, 3], without: null },
  { name: 'CLOSE_RANGE_CLOEXEC', since: [5, 11], without: 'descriptors are closed one by one' },
  { name: 'safe CLONE_VM children', since: [5, 16], without: 'a failing exec is found only by the exec itself' },
];

export const kernel: Place = (machine) => [version(machine), filtersReadable(machine), childrenListed(machine)];

function version(machine: Machine): Finding {
  const release = valueOf(machine.readText('/proc/sys/kernel/osrelease'))?.trim() ?? '';
  const found = /^(\d+)\.(\d+)(?:\.\d+)?/.exec(release);
  if (found === null) return unknown('kernel', 'its version cannot be read from /proc/sys/kernel/osrelease');
  const [number, major, minor] = found;
  const missing = features.filter(({ since }) => isOlder([Number(major), Number(minor)], since));
  if (missing.length === 0) return yes('kernel', `Linux ${number} has all that a restart needs`);
  const losses = missing.map(
    ({ name, since, without }) => `${without ?? 'no restart goes'} without ${name} (${since.join('.')})`,
  );
  const say = missing.some(({ without }) => without === null) ? blocked : no;
  return say('kernel', `Linux ${number} is old: ${losses.join('; ')}`, 'boot Linux 5.16 or newer');
}

function isOlder([major, minor]: Feature['since'], [neededMajor, neededMinor]: Feature['since']): boolean {
  return major < neededMajor || (major === neededMajor && minor < neededMinor);
}

// kernel.ns_last_pid is compiled in with CONFIG_CHECKPOINT_RESTORE (kernel/pid_namespace.c), and so is
// PTRACE_SECCOMP_GET_FILTER (kernel/seccomp.c): the one is a sign of the other where no config file lies about.
function filtersReadable(machine: Machine): Finding {
  if (machine.readText('/proc/sys/kernel/ns_last_pid').kind === 'ok') {
    return yes('filters readable', "a target's seccomp filters can be read (CONFIG_CHECKPOINT_RESTORE)");
  }
  return no(
    'filters readable',
    "a target's seccomp filters cannot be read; what they forbid is found by the dry run only",
    'a kernel with CONFIG_CHECKPOINT_RESTORE=y',
  );
}

function childrenListed(machine: Machine): Finding {
  if (machine.readText('/proc/thread-self/children').kind === 'ok') {
    return yes('children listed', 'the kernel lists the children of a process (CONFIG_PROC_CHILDREN)');
  }
  return no(
    'children listed',
    'children of a process are found by looking at all processes, which is slower',
    'a kernel with CONFIG_PROC_CHILDREN=y',
  );
}
