// What comes of a restart of many pods: the document that `-o json` prints, and what the library resolves with.
import type { ErrorData } from '../errors.ts';
import type { RestartResult } from './result.ts';

/** A pod for which there is no Restart, since nothing was begun in it. */
export interface FailedPod {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Error';
  readonly target: string;
  readonly outcome: null;
  readonly error: ErrorData;
}

export interface RestartList {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'List';
  /** `deployment/web` */
  readonly target: string;
  /** Those that were restarted, or were to be: in the order in which they were begun. */
  readonly items: readonly (RestartResult | FailedPod)[];
  /** Left as they were, since another one failed or the rollout was cancelled. */
  readonly untouched: readonly string[];
  /** Not restarted, since they were deleted meanwhile or do not run. */
  readonly skipped: readonly { readonly target: string; readonly why: string }[];
  /** They came meanwhile, and run the program of their image. */
  readonly appeared: readonly string[];
  readonly warnings: readonly string[];
  readonly timingsMs: { readonly total: number };
}
