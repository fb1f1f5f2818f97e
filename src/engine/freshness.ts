// What execve can never give back, compared with what the runtime's spec says a fresh start has. Known before anything is touched: it is
// refused unless the user insists. Pure.
import { idInside } from '../procfs/id-map.ts';
import type { NotFresh } from '../protocol/result.ts';
import type { ProgramSpec } from '../protocol/request.ts';
import type { Observed } from './observe.ts';

// Bit n is capability n (include/uapi/linux/capability.h).
const capabilityNames = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

/** Lost for good; each is a reason to refuse without --force. */
export function lostPrivileges(observed: Observed): readonly NotFresh[] {
  const lost: NotFresh[] = [];
  const { spec } = observed.target;
  if (observed.program.root !== '/' && observed.target.container !== null) {
    lost.push({ attribute: 'root', message: `the process has changed its root to ${observed.program.root}` });
  }
  return spec === null ? lost : [...lost, ...identity(observed, spec), ...confinement(observed, spec)];
}

function identity(observed: Observed, spec: ProgramSpec): readonly NotFresh[] {
  const { uidMap, gidMap } = observed.environment;
  const uid = observed.status.uid?.map((id) => idInside(id, uidMap));
  const gid = observed.status.gid?.map((id) => idInside(id, gidMap));
  const groups = observed.status.groups?.map((id) => idInside(id, gidMap));
  const { user } = spec;
  if (user === null || uid === undefined || gid === undefined) return [];
  const lost: NotFresh[] = [];
  if (uid.some((id) => id !== user.uid)) {
    lost.push({ attribute: 'uid', message: `the process has uid ${uid.join('/')}, a fresh start has ${user.uid}` });
  }
  if (gid.some((id) => id !== user.gid)) {
    lost.push({ attribute: 'gid', message: `the process has gid ${gid.join('/')}, a fresh start has ${user.gid}` });
  }
  const have = [...new Set(groups ?? [])].toSorted((a, b) => a - b).join();
  const want = [...new Set(user.additionalGids)].toSorted((a, b) => a - b).join();
  if (have !== want) {
    lost.push({ attribute: 'groups', message: `the process has the groups [${have}], a fresh start has [${want}]` });
  }
  return lost;
}

function confinement(observed: Observed, spec: ProgramSpec): readonly NotFresh[] {
  const { status } = observed;
  const lost: NotFresh[] = [];
  if (spec.noNewPrivileges === false && status.noNewPrivs === true) {
    lost.push({ attribute: 'no-new-privileges', message: 'the process has set no_new_privs, which is never cleared' });
  }
  const filters = status.seccompFilters ?? 0;
  if (spec.seccomp !== null && filters > (spec.seccomp ? 1 : 0)) {
    const own = filters - (spec.seccomp ? 1 : 0);
    lost.push({
      attribute: 'seccomp',
      message: `the process has installed ${own} seccomp filter${own === 1 ? '' : 's'} of its own, which stay`,
    });
  }
  if (spec.capabilities !== null && status.capBnd !== undefined) {
    const missing = capabilityMask(spec.capabilities.bounding) & ~status.capBnd;
    if (missing !== 0n) {
      lost.push({
        attribute: 'capabilities',
        message: `the process has dropped ${namesIn(missing)} from its bounding set`,
      });
    }
  }
  return lost;
}

/** Differences that a restart can live with; they are reported, not refused. */
export function knownDifferences(observed: Observed): readonly NotFresh[] {
  const different: NotFresh[] = [];
  for (const [fd, target] of observed.standardStreams.entries()) {
    if (observed.target.container === null) continue;
    if (target === null)
      different.push({
        attribute: `descriptor-${fd}`,
        message: `descriptor ${fd} is closed; a fresh start has it open`,
      });
    else if (fd > 0 && !/^(pipe:|socket:|\/dev\/(pts|null|console|tty))/.test(target)) {
      different.push({
        attribute: `descriptor-${fd}`,
        message: `descriptor ${fd} was redirected to ${target} and stays so`,
      });
    }
  }
  return different;
}

export function capabilityMask(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const bit = capabilityNames.indexOf(name.replace(/^CAP_/, ''));
    return bit < 0 ? mask : mask | (1n << BigInt(bit));
  }, 0n);
}

function namesIn(mask: bigint): string {
  return capabilityNames
    .filter((_, bit) => (mask & (1n << BigInt(bit))) !== 0n)
    .map((name) => `CAP_${name}`)
    .join(', ');
}
