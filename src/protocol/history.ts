// The programs that ran in one container, as `hotexec rollback --list` shows them. Values of the environment never leave the engine's side.
import type { ContainerIdentity } from './request.ts';
import type { ProgramEnd, ProgramSummary } from './result.ts';

export interface History {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'History';
  readonly operationId: string;
  readonly target: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly container: ContainerIdentity | null;
  /** Newest first. One of them is `running`; newer ones have failed. */
  readonly versions: readonly Version[];
}

/** `failed`: in its probation; its files were put back, and the one before it was started again if that was possible. `ended`: with its process, or as it was meant to. */
export type VersionState = 'running' | 'replaced' | 'failed' | 'ended';

/** One program that ran there. */
export interface Version {
  /** Counts up for each container, from 1: the program that hotexec found there. */
  readonly number: number;
  /** ISO 8601, UTC; null: hotexec found it there. */
  readonly startedAt: string | null;
  /** When it was written down: for a program that hotexec found, the time when that was. */
  readonly recordedAt: string;
  /** Who asked for it: the login name; null: not hotexec's doing. */
  readonly by: string | null;
  readonly operationId: string | null;
  /** The version that was gone back to; null: it was none. */
  readonly backTo: number | null;
  readonly program: ProgramSummary;
  /** Files that changed with this version: path inside the container, and SHA-256 of the content it has there (null: it is gone). */
  readonly files: readonly { readonly path: string; readonly digest: string | null }[];
  readonly state: VersionState;
  /** How it ended, where that was seen. */
  readonly end: ProgramEnd | null;
  /** Whether it can be gone back to; else why not, as a clause. */
  readonly available: true | string;
}
