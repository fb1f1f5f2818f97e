// A thread at the entry of a system call that was asked for.
import { arch } from '../../arch/arch.ts';
import type { ProcessStop } from '../../tracer/traced-process.ts';
import { descriptorStat } from '../descriptors.ts';

export type CallStop = Extract<ProcessStop, { kind: 'entry' }>;

/** Numbers of the calls that take a connection out of the queue. */
export const acceptCalls: ReadonlySet<number> = new Set([arch.syscalls.accept, arch.syscalls.accept4]);

/** Of what a descriptor of the thread stands for; -1: it is not open. */
export function inodeOf(tid: number, fd: number): number {
  return Number(descriptorStat(tid, fd)?.ino ?? -1);
}
