// What `hotexec plan restart` prints: every step that would be taken, with the very system calls.
import type { ErrorData } from '../errors.ts';
import type { ContainerIdentity } from './request.ts';
import type { NotFresh, ProgramSummary } from './result.ts';

export interface PlannedCall {
  /** Who makes the call: hotexec itself, or the target made to do it. */
  readonly by: 'hotexec' | 'target' | 'child';
  /** As strace would print it. */
  readonly call: string;
  /** Only under this condition; null: always. */
  readonly when: string | null;
}

export interface PlannedStep {
  readonly title: string;
  readonly calls: readonly PlannedCall[];
}

/** A file that would be brought into the container. */
export interface PlannedFile {
  /** Inside the container; `memfd:NAME` for an executable that is in memory alone. */
  readonly path: string;
  readonly change: 'created' | 'replaced' | 'in-memory';
  readonly sizeBytes: number;
  /** Where it comes from, on the machine where hotexec runs; absolute. */
  readonly from: string;
}

export interface Plan {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Plan';
  readonly operationId: string;
  readonly target: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly container: ContainerIdentity | null;
  readonly possible: boolean;
  /** Why not; empty when possible. */
  readonly refusals: readonly ErrorData[];
  readonly warnings: readonly string[];
  readonly before: ProgramSummary;
  readonly after: (ProgramSummary & { readonly environmentNames: readonly string[] }) | null;
  /** What `--with` and `--copy` would bring, in that order. */
  readonly files: readonly PlannedFile[];
  readonly steps: readonly PlannedStep[];
  readonly notFresh: readonly NotFresh[];
}
