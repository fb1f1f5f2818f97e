// What `hotexec plan restart` prints: every step that would be taken, with the very system calls.
import type { ErrorData } from '../errors.ts';
import type { HookAction, HookName } from './hook.ts';
import type { ContainerIdentity } from './request.ts';
import type { NotFresh, ProgramSummary } from './result.ts';

export interface PlannedCall {
  /** Who makes the call: hotexec itself, a gdb that it drives, the target made to do it, or a child of it. */
  readonly by: 'hotexec' | 'gdb' | 'target' | 'child';
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
  readonly change: 'created' | 'replaced' | 'removed' | 'in-memory';
  readonly sizeBytes: number;
  /** Where it comes from, on the machine where hotexec runs, absolute; of an earlier version, its kept file inside the container. */
  readonly from: string;
}

/** How the old program would finish. */
export interface PlannedDrain {
  /** `SIGTERM`; null: it would be replaced at once, and `why` says for what reason. */
  readonly signal: string | null;
  /** How long it may take, in ms; null: it would not be asked. */
  readonly gracePeriodMs: number | null;
  readonly why: string | null;
}

/** A lifecycle hook of the container that would be run. */
export interface PlannedHook {
  readonly hook: HookName;
  readonly action: HookAction['kind'];
  /** For so long its end is waited for, ms. */
  readonly withinMs: number;
}

/** A socket that the program serves, and what would become of it. */
export interface PlannedListener {
  /** `tcp`, `tcp6`, `udp`, `udp6`, `unix-stream`, `unix-seqpacket`. */
  readonly protocol: string;
  readonly address: string;
  /** The new program would be given the very socket when it binds the same address. */
  readonly handOver: boolean;
  /** Why not; null: it would be. */
  readonly why: string | null;
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
  readonly drain: PlannedDrain;
  /** Empty without `--hooks`. */
  readonly hooks: readonly PlannedHook[];
  readonly listeners: readonly PlannedListener[];
  readonly steps: readonly PlannedStep[];
  readonly notFresh: readonly NotFresh[];
  /** A script for gdb that does it (`--format gdb`); null: not asked for, or not possible. */
  readonly gdbScript: string | null;
}
