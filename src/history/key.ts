// The name of a record: the container's id, or what tells a process from all others, also after a reboot.
import { readFileSync } from 'node:fs';
import { readText } from '../procfs/read.ts';
import { parseStatus } from '../procfs/status.ts';
import type { TargetProcess } from '../protocol/request.ts';

const ending = '.json';

/** `ID.json` for the main process of a container; `PID-STARTTICKS-BOOTID.json` for any other. */
export function recordName(target: TargetProcess, proc = '/proc'): string {
  const { container, pid, startTicks } = target;
  // Others in the container have programs of their own; its main process has another pid after each start.
  const isContainer = container !== null && /^[\w.-]{12,128}$/.test(container.id) && isMain(target, proc);
  return `${isContainer ? container.id : `${pid}-${startTicks}-${bootId(proc)}`}${ending}`;
}

/** Only of a container's first process is the spec known; where it is known of none, pid 1 is the first. */
function isMain({ pid, spec }: TargetProcess, proc: string): boolean {
  if (spec !== null) return true;
  const status = readText(`${proc}/${pid}/status`);
  if (status.kind !== 'read') return false;
  const { nsPid = [] } = parseStatus(status.content);
  return nsPid.length > 1 && nsPid.at(-1) === 1;
}

export type RecordSubject =
  | { readonly kind: 'container'; readonly id: string }
  | { readonly kind: 'process'; readonly pid: number; readonly startTicks: number; readonly bootId: string };

/** What a file in the directory is about, one set aside too; null: it is no record. */
export function parseRecordName(name: string): RecordSubject | null {
  const stem = /^([\w.-]+?)\.json(?:\.set-aside)?$/.exec(name)?.[1];
  if (stem === undefined) return null;
  const [, pid, startTicks, boot] = /^(\d+)-(\d+)-([\da-f]{8}-[\da-f-]{27})$/.exec(stem) ?? [];
  return boot === undefined
    ? { kind: 'container', id: stem }
    : { kind: 'process', pid: Number(pid), startTicks: Number(startTicks), bootId: boot };
}

export function bootId(proc = '/proc'): string {
  return readFileSync(`${proc}/sys/kernel/random/boot_id`, 'latin1').trim();
}
