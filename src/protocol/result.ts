// The result of a restart, as the library returns it and `-o json` prints it. Within hotexec/v1 fields are only added.
import type { ErrorData } from '../errors.ts';
import type { ContainerIdentity } from './request.ts';

export type Outcome = 'restarted' | 'unchanged' | 'rolled-back' | 'stopped' | 'lost';

/** A program as a person reads it; bytes that are not UTF-8 are shown as U+FFFD. */
export interface ProgramSummary {
  readonly exe: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** An attribute in which the new program differs from a freshly started one. */
export interface NotFresh {
  /** Stable name: `rlimit-nofile`, `uid`, `seccomp`, … */
  readonly attribute: string;
  readonly message: string;
}

export interface RestartResult {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Restart';
  readonly operationId: string;
  readonly outcome: Outcome;
  readonly target: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly container: ContainerIdentity | null;
  readonly before: ProgramSummary;
  readonly after: ProgramSummary | null;
  readonly listeners: readonly { readonly address: string; readonly handedOver: boolean }[];
  readonly children: { readonly killed: number };
  readonly notFresh: readonly NotFresh[];
  readonly warnings: readonly string[];
  /** hold: all threads of the target stopped by us. total: the engine's work. Milliseconds, three decimals. */
  readonly timingsMs: { readonly hold: number; readonly total: number } & Readonly<Record<string, number>>;
  readonly error: ErrorData | null;
}
