// Security modules besides Yama: which are there, and under which label we run.
import { blocked, no, unknown, yes, type Finding, type Place } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';

export const securityModules: Place = (machine) => [appArmor(machine), seLinux(machine)];

function appArmor(machine: Machine): Finding {
  const subject = 'AppArmor';
  if (valueOf(machine.readText('/sys/module/apparmor/parameters/enabled'))?.trim() !== 'Y')
    return yes(subject, 'not active');
  const label = labelFrom(machine, '/proc/self/attr/apparmor/current') ?? labelFrom(machine, '/proc/self/attr/current');
  if (label === null) return unknown(subject, 'active; our own profile cannot be read');
  if (label === 'unconfined' || label.endsWith('(complain)')) return yes(subject, `active; we are ${label}`);
  return no(
    subject,
    `we run under ${label}: it may let us trace processes under the same profile only`,
    'run hotexec outside of the container, or: docker run --security-opt apparmor=unconfined …',
  );
}

function seLinux(machine: Machine): Finding {
  const subject = 'SELinux';
  const enforce = valueOf(machine.readText('/sys/fs/selinux/enforce'))?.trim();
  if (enforce === undefined) return yes(subject, 'not active');
  if (enforce === '0') return yes(subject, 'active and permissive: it forbids nothing');
  const denied = valueOf(machine.readText('/sys/fs/selinux/booleans/deny_ptrace'))?.startsWith('1') === true;
  if (denied) return blocked(subject, 'enforcing, and its boolean deny_ptrace is on', 'sudo setsebool deny_ptrace 0');
  const label = labelFrom(machine, '/proc/self/attr/current') ?? 'unknown';
  if (label.includes(':unconfined_t:')) return yes(subject, `enforcing; we are ${label}`);
  return unknown(
    subject,
    `enforcing; whether ${label} may trace is for its policy to say`,
    'ausearch -m avc -ts recent',
  );
}

/** Labels end in a NUL or a line break. Reading fails with EINVAL where no module has one. */
function labelFrom(machine: Machine, path: string): string | null {
  const label = valueOf(machine.readText(path))
    ?.replaceAll(/[\0\n]/g, '')
    .trim();
  return label === undefined || label === '' ? null : label;
}
