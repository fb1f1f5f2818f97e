// What the target is confined by: a frozen cgroup stops every restart, a seccomp filter may forbid what one needs.
import { parseCgroup, type CgroupMembership } from '../../procfs/cgroup.ts';
import { parseStatus } from '../../procfs/status.ts';
import type { TargetProcess } from '../../protocol/request.ts';
import { blocked, unknown, yes, type Finding, type TargetPlace } from '../finding.ts';
import { valueOf, type Machine } from '../machine.ts';

export const targetConfinement: TargetPlace = (machine, _self, target) => [
  frozen(target, machine),
  seccomp(target, machine),
];

function frozen(target: TargetProcess, machine: Machine): Finding {
  const subject = 'not frozen';
  const text = valueOf(machine.readText(`/proc/${target.pid}/cgroup`));
  if (text === null) return unknown(subject, 'its cgroup cannot be read');
  const states = parseCgroup(text).flatMap((membership) => freezerState(membership, machine));
  if (states.includes('frozen')) return blocked(subject, 'its cgroup is frozen (docker pause)', thaw(target));
  if (states.length > 0) return yes(subject, 'its cgroup is running');
  return unknown(subject, 'the state of its cgroup cannot be read from /sys/fs/cgroup');
}

type FreezerState = 'frozen' | 'running';

/** v1: freezer.state of its own hierarchy. v2: cgroup.events, alone or beside v1 under `unified`. */
function freezerState(membership: CgroupMembership, machine: Machine): readonly FreezerState[] {
  const isV1 = membership.controllers.includes('freezer');
  if (!isV1 && membership.hierarchy !== 0) return [];
  // A root cgroup has neither file, since it cannot be frozen.
  if (membership.path === '/') return ['running'];
  const state = isV1 ? stateInV1(membership.path, machine) : stateInV2(membership.path, machine);
  return state === null ? [] : [state];
}

function stateInV1(path: string, machine: Machine): FreezerState | null {
  const state = valueOf(machine.readText(`/sys/fs/cgroup/freezer${path}/freezer.state`))?.trim();
  if (state === undefined) return null;
  return state === 'THAWED' ? 'running' : 'frozen';
}

function stateInV2(path: string, machine: Machine): FreezerState | null {
  const events =
    valueOf(machine.readText(`/sys/fs/cgroup${path}/cgroup.events`)) ??
    valueOf(machine.readText(`/sys/fs/cgroup/unified${path}/cgroup.events`));
  const isFrozen = events === null ? undefined : /^frozen (\d)$/m.exec(events)?.[1];
  if (isFrozen === undefined) return null;
  return isFrozen === '1' ? 'frozen' : 'running';
}

function thaw({ container }: TargetProcess): string {
  if (container === null) return 'thaw its cgroup: 0 into cgroup.freeze (v2), THAWED into freezer.state (v1)';
  return `${container.runtime === 'podman' ? 'podman' : 'docker'} unpause ${container.name ?? container.id.slice(0, 12)}`;
}

function seccomp({ pid }: TargetProcess, machine: Machine): Finding {
  const subject = 'its seccomp';
  const text = valueOf(machine.readText(`/proc/${pid}/status`));
  const status = text === null ? undefined : parseStatus(text);
  switch (status?.seccomp) {
    case 0:
      return yes(subject, 'no filter');
    case 1:
      return blocked(subject, 'strict mode: it may read, write and exit, and nothing else', 'restart its container');
    case 2:
      return yes(
        subject,
        `${status.seccompFilters ?? 'some'} filter(s); whether they let execve pass is tried before anything changes`,
      );
    default:
      return unknown(subject, 'the kernel does not tell');
  }
}
