// What the doctor says about one thing, and what kind of function finds it out.
import type { TargetProcess } from '../protocol/request.ts';
import type { Machine } from './machine.ts';
import type { Self } from './self.ts';

/** `yes`: nothing stands in the way. `no`: something does. `unknown`: it could not be found out. */
export type Verdict = 'yes' | 'no' | 'unknown';

export interface Finding {
  /** What was looked at: `kernel`, `CAP_SYS_PTRACE`, `docker`. */
  readonly subject: string;
  readonly verdict: Verdict;
  readonly meaning: string;
  /** The way out, of each `no`; null where nothing needs to be done. */
  readonly remedy: string | null;
  /** With this, no restart is possible here at all (or of this target). */
  readonly blocking: boolean;
}

type Found = readonly Finding[] | Promise<readonly Finding[]>;

/** A place to look at: one file of src/doctor/places/ each. */
export type Place = (machine: Machine, self: Self) => Found;
/** The same, for one target. */
export type TargetPlace = (machine: Machine, self: Self, target: TargetProcess) => Found;

export function yes(subject: string, meaning: string): Finding {
  return { subject, verdict: 'yes', meaning, remedy: null, blocking: false };
}

export function no(subject: string, meaning: string, remedy: string): Finding {
  return { subject, verdict: 'no', meaning, remedy, blocking: false };
}

/** A `no` with which nothing can be restarted. */
export function blocked(subject: string, meaning: string, remedy: string): Finding {
  return { subject, verdict: 'no', meaning, remedy, blocking: true };
}

export function unknown(subject: string, meaning: string, remedy: string | null = null): Finding {
  return { subject, verdict: 'unknown', meaning, remedy, blocking: false };
}
