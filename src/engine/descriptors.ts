// The target's descriptors and their close-on-exec flags, read from outside.
// Of another user's process fd/ is closed to a tracer without CAP_DAC_OVERRIDE: then fdinfo/, open to whoever may trace (Linux 5.14), has
// the numbers, and a copy tells what a number stands for.
import { closeSync, fstatSync, readFileSync, readdirSync, readlinkSync, statSync, type BigIntStats } from 'node:fs';
import { pullDescriptor } from '../native/sockets.ts';
import { O_CLOEXEC, O_NONBLOCK, parseFdFlags } from '../procfs/fdinfo.ts';
import { isDenied } from '../procfs/read.ts';
import { processOf } from '../procfs/threads.ts';

export interface Descriptor {
  readonly fd: number;
  readonly closeOnExec: boolean;
  readonly nonBlocking: boolean;
  /** The status flags of the open file description (F_GETFL). */
  readonly statusFlags: number;
}

/** All open descriptors; a descriptor that is closed meanwhile is left out. `tid` is a living thread. */
export function listDescriptors(tid: number): readonly Descriptor[] {
  return descriptorNumbers(tid).flatMap((fd) => {
    const flags = readFlags(tid, fd);
    if (flags === undefined) return [];
    const [closeOnExec, nonBlocking] = [(flags & O_CLOEXEC) !== 0, (flags & O_NONBLOCK) !== 0];
    return [{ fd, closeOnExec, nonBlocking, statusFlags: flags & ~O_CLOEXEC }];
  });
}

/** Throws the error of opendir(3). */
function descriptorNumbers(tid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${tid}/fd`).map(Number);
  } catch (error) {
    if (!isDenied(error)) throw error;
    return readdirSync(`/proc/${tid}/fdinfo`).map(Number);
  }
}

/** The same; none where it has ended, or is another user's. */
export function openDescriptors(tid: number): readonly number[] {
  try {
    return descriptorNumbers(tid);
  } catch {
    return [];
  }
}

/** What /proc/PID/fd/N points to; null when it is closed. */
export function descriptorTarget(tid: number, fd: number): string | null {
  try {
    return readlinkSync(`/proc/${tid}/fd/${fd}`);
  } catch (error) {
    return isDenied(error) ? ofCopy(tid, fd, (copy) => readlinkSync(`/proc/self/fd/${copy}`)) : null;
  }
}

/** What a descriptor of a thread stands for; null when it is closed. */
export function descriptorStat(tid: number, fd: number): BigIntStats | null {
  try {
    return statSync(`/proc/${tid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (isDenied(error)) return ofCopy(tid, fd, (copy) => fstatSync(copy, { bigint: true }));
    throw error;
  }
}

function ofCopy<Answer>(tid: number, fd: number, look: (copy: number) => Answer): Answer | null {
  const copy = pullDescriptor(processOf(tid) ?? tid, tid, fd);
  if (copy < 0) return null;
  try {
    return look(copy);
  } finally {
    closeSync(copy);
  }
}

function readFlags(tid: number, fd: number): number | undefined {
  try {
    // utf8 is the one encoding that Node reads a file in with a single call of its own: twice as fast.
    return parseFdFlags(readFileSync(`/proc/${tid}/fdinfo/${fd}`, 'utf8'));
  } catch {
    return undefined;
  }
}
