// What has been put upon ourselves and is inherited: seccomp filters and no_new_privs.
import { blocked, no, unknown, yes, type Finding, type Place } from '../finding.ts';
import type { Machine } from '../machine.ts';
import { hasCapability, type Self } from '../self.ts';

export const ownRestrictions: Place = async (machine, self) => [await seccomp(machine, self), noNewPrivileges(self)];

const subject = 'our seccomp';
const otherProfile =
  'in a container: docker run --security-opt seccomp=unconfined …, or a profile that allows both calls';

async function seccomp(machine: Machine, { status }: Self): Promise<Finding> {
  if (status.seccomp === 0) return yes(subject, 'no filter on hotexec itself');
  if (status.seccomp === undefined) return unknown(subject, 'the kernel does not tell in /proc/self/status');
  const filters = status.seccompFilters === undefined ? 'filters' : `${status.seccompFilters} filter(s)`;
  if (machine.selfTest === null) {
    return unknown(
      subject,
      `${filters} on hotexec itself: whether ptrace and process_vm_writev pass is not known`,
      otherProfile,
    );
  }
  const { ptrace, processVmWritev } = await machine.selfTest();
  const forbidden = [
    ...(ptrace === null ? [] : [`ptrace (${ptrace})`]),
    ...(processVmWritev === null ? [] : [`process_vm_writev (${processVmWritev})`]),
  ];
  if (forbidden.length === 0)
    return yes(subject, `${filters} on hotexec itself, through which ptrace and process_vm_writev pass`);
  return blocked(subject, `${filters} on hotexec itself, in the way of ${forbidden.join(' and ')}`, otherProfile);
}

function noNewPrivileges(self: Self): Finding {
  if (self.status.noNewPrivs !== true) return yes('no_new_privs', 'not set: sudo works from here');
  if (hasCapability(self, 'CAP_SYS_PTRACE')) return yes('no_new_privs', 'set, but the rights are there already');
  return no(
    'no_new_privs',
    'set: sudo cannot give more rights from here',
    'start hotexec from outside; in a pod: allowPrivilegeEscalation: true',
  );
}
