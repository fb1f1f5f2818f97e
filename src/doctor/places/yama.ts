// Yama: who may trace whom, on top of the kernel's own rules (Documentation/admin-guide/LSM/Yama.rst).
import { blocked, no, unknown, yes, type Finding, type Place } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';
import { hasCapability, type Self } from '../self.ts';
import { mayMakeUserNamespace } from './user-namespaces.ts';

const subject = 'Yama';

export const yama: Place = (machine, self) => {
  const scope = valueOf(machine.readText('/proc/sys/kernel/yama/ptrace_scope'))?.trim();
  return [judge(scope, machine, self)];
};

function judge(scope: string | undefined, machine: Machine, self: Self): Finding {
  switch (scope) {
    case undefined:
      return yes(subject, 'not in this kernel; it forbids nothing');
    case '0':
      return yes(subject, 'ptrace_scope 0: forbids nothing');
    case '1':
      return limited(1, 'only children, unless with CAP_SYS_PTRACE', { machine, self });
    case '2':
      return limited(2, 'only with CAP_SYS_PTRACE', { machine, self });
    case '3':
      return blocked(
        subject,
        'ptrace_scope 3: nobody may trace anything, root included',
        'set kernel.yama.ptrace_scope to 1 in /etc/sysctl.d/ and reboot; it cannot be lowered before',
      );
    default:
      return unknown(subject, `ptrace_scope has a value that hotexec does not know: ${scope}`);
  }
}

// The capability is asked for in the target's user namespace (yama_ptrace_access_check), and whoever made a user
// namespace has all capabilities in it: a rootless container of one's own stays within reach.
function limited(scope: 1 | 2, rule: string, { machine, self }: { machine: Machine; self: Self }): Finding {
  const asked = `ptrace_scope ${scope}: ${rule}`;
  if (hasCapability(self, 'CAP_SYS_PTRACE')) return yes(subject, `${asked}, which we have`);
  const wayOut = scope === 1 ? 'sudo hotexec …, or: sudo sysctl kernel.yama.ptrace_scope=0' : 'sudo hotexec …';
  return mayMakeUserNamespace(machine, self)
    ? no(
        subject,
        `${asked}, which we lack: only processes in user namespaces of your own (rootless containers) are in reach`,
        wayOut,
      )
    : blocked(subject, `${asked}, which we lack`, wayOut);
}
