// User namespaces: rootless containers and the demo of an unprivileged user live in one.
import { no, yes, type Finding, type Place } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';
import type { Self } from '../self.ts';

interface Setting {
  readonly path: string;
  readonly forbids: (value: string) => boolean;
  readonly remedy: string;
  /** All of them bind users. */
  readonly bindsRoot: boolean;
}

const settings: readonly Setting[] = [
  {
    path: '/proc/sys/user/max_user_namespaces',
    forbids: (value) => value === '0',
    remedy: 'sudo sysctl user.max_user_namespaces=15000',
    bindsRoot: true,
  },
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    forbids: (value) => value === '0',
    remedy: 'sudo sysctl kernel.unprivileged_userns_clone=1',
    bindsRoot: false,
  },
  {
    path: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    forbids: (value) => value === '1',
    remedy: 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    bindsRoot: false,
  },
];

export const userNamespaces: Place = (machine, self) => [judge(machine, self)];

/** Whether this user can make one: whoever made it has all rights in it. */
export function mayMakeUserNamespace(machine: Machine, self: Self): boolean {
  return hasUserNamespaces(machine) && forbiddingSettings(machine, self).length === 0;
}

function judge(machine: Machine, self: Self): Finding {
  const subject = 'user namespaces';
  if (!hasUserNamespaces(machine)) {
    return no(subject, 'not in this kernel: no rootless containers', 'a kernel with CONFIG_USER_NS=y');
  }
  const forbidding = forbiddingSettings(machine, self);
  if (forbidding.length === 0) return yes(subject, 'allowed: rootless containers, and the demo without root');
  const names = forbidding.map(({ path }) => path.slice('/proc/sys/'.length).replace('/', '.'));
  return no(
    subject,
    `forbidden by ${names.join(', ')}: no rootless containers, and the demo of a user runs without namespaces`,
    forbidding.map(({ remedy }) => remedy).join('; '),
  );
}

function hasUserNamespaces(machine: Machine): boolean {
  return machine.readLink('/proc/self/ns/user').kind === 'ok';
}

/** What keeps this user from making one; empty: nothing does. */
function forbiddingSettings(machine: Machine, { uid }: Self): readonly Setting[] {
  return settings.filter((setting) => (uid !== 0 || setting.bindsRoot) && forbids(setting, machine));
}

function forbids({ path, forbids: test }: Setting, machine: Machine): boolean {
  const value = valueOf(machine.readText(path));
  return value !== null && test(value.trim());
}
