// Who we are, from /proc/self: what most places need to know.
import { parseStatus, type ProcessStatus } from '../procfs/status.ts';
import { valueOf, type Machine } from './machine.ts';

export interface Self {
  readonly status: ProcessStatus;
  /** The real uid, by which ptrace judges. */
  readonly uid: number;
  readonly gid: number;
  /** Our capabilities count for the whole machine, not only for a user namespace below it. */
  readonly inInitialUserNamespace: boolean;
}

/** Numbers of include/uapi/linux/capability.h. */
const capabilityNumbers = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_KILL: 5,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
} as const;
export type Capability = keyof typeof capabilityNumbers;

export function readSelf(machine: Machine): Self {
  const status = machine.readText('/proc/self/status');
  if (status.kind !== 'ok') throw new Error(`cannot read /proc/self/status: ${status.errno}`);
  const parsed = parseStatus(status.value);
  return {
    status: parsed,
    uid: parsed.uid?.[0] ?? 0,
    gid: parsed.gid?.[0] ?? 0,
    inInitialUserNamespace: mapsEverything(valueOf(machine.readText('/proc/self/uid_map'))),
  };
}

export function hasCapability({ status }: Self, capability: Capability): boolean {
  return (((status.capEff ?? 0n) >> BigInt(capabilityNumbers[capability])) & 1n) === 1n;
}

/** Only the initial user namespace maps all uids onto themselves (user_namespaces(7)). A kernel without them has no such file. */
function mapsEverything(uidMap: string | null): boolean {
  return uidMap === null || /^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}
