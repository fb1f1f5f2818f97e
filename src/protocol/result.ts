// The result of a restart, as the library returns it and `-o json` prints it. Within hotexec/v1 fields are only added.
import type { ErrorData } from '../errors.ts';
import type { HookResult } from './hook.ts';
import type { ContainerIdentity } from './request.ts';

export type Outcome = 'restarted' | 'unchanged' | 'rolled-back' | 'stopped' | 'lost';

/** The exit code of a command for it, where its error has none of its own. */
export const outcomeCodes: Readonly<Record<Outcome, number>> = {
  restarted: 0,
  unchanged: 1,
  'rolled-back': 3,
  lost: 4,
  stopped: 8,
};

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

/** A file that a restart has brought into the container. */
export interface ChangedFile {
  /** Inside the container; `memfd:NAME` for an executable that is in memory alone. */
  readonly path: string;
  readonly change: 'created' | 'replaced' | 'removed' | 'in-memory';
  /** SHA-256 of what is there now, in hexadecimal; null: nothing. */
  readonly digest: string | null;
  readonly sizeBytes: number;
  /** Where the file that was there before is kept for a rollback, inside the container; null: there was none. */
  readonly keptAs: string | null;
}

/** How a program ended, as far as that was seen. */
export interface ProgramEnd {
  /** What it gave to exit; null: a signal. */
  readonly exitCode: number | null;
  /** `SIGSEGV`; null: it exited. */
  readonly signal: string | null;
  /** `probe-timeout`, `post-start-hook`: it did not end, but had not answered its probe in time, or its postStart hook had not succeeded. */
  readonly reason: 'exit' | 'signal' | 'probe-timeout' | 'post-start-hook';
  /** After the exec, ms. */
  readonly afterMs: number;
}

/** How the old program finished. */
export interface Drain {
  /** `SIGTERM`; null: it was sent none. */
  readonly signal: string | null;
  /** `exited`: by its own shutdown. `forced`: the grace period was over. `skipped`: it was replaced at once; `why` says for what reason. */
  readonly end: 'exited' | 'forced' | 'skipped';
  readonly why: string | null;
  /** What it gave to exit; null: it did not exit. */
  readonly exitCode: number | null;
  /** The signal that would have ended it; null: none. */
  readonly endedBy: string | null;
  readonly ms: number;
}

/** A socket that the old program served. */
export interface ListenerResult {
  /** `tcp`, `tcp6`, `udp`, `udp6`, `unix-stream`, `unix-seqpacket`. */
  readonly protocol: string;
  readonly address: string;
  /** The new program has the very socket: connections that waited in it are served. */
  readonly handedOver: boolean;
  /** Why not; null: it was. */
  readonly why: string | null;
}

/** How the watching of the new program ended. */
export interface Probation {
  /**
   * `none`: it was not watched. `listening`: it listens again. `answered`: the probe was. `time`: nothing happened within its time.
   * `ended`: it did what it was meant to do and exited 0. `failed`: its end was caught. `cut-short`: hotexec was asked to stop, or died.
   */
  readonly end: 'none' | 'listening' | 'answered' | 'time' | 'ended' | 'failed' | 'cut-short';
  readonly ms: number;
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
  readonly listeners: readonly ListenerResult[];
  readonly drain: Drain;
  /** The container's lifecycle hooks, in the order in which they were due; empty without `--hooks`. */
  readonly hooks: readonly HookResult[];
  readonly children: { readonly killed: number };
  readonly files: readonly ChangedFile[];
  readonly probation: Probation;
  /** How the new program ended when it failed its probation; null: it did not. */
  readonly failed: ProgramEnd | null;
  readonly notFresh: readonly NotFresh[];
  readonly warnings: readonly string[];
  /** hold: all threads of the target stopped by us. total: the engine's work. Milliseconds, three decimals. */
  readonly timingsMs: { readonly hold: number; readonly total: number } & Readonly<Record<string, number>>;
  readonly error: ErrorData | null;
}
