// Every way hotexec can fail: one class, a closed list of codes, one exit code each (docs/errors.md has a line a code).
// A message says what was tried, on what, what came back, and in which state the target was left.
import type { RestartList } from './protocol/list.ts';
import type { RestartResult } from './protocol/result.ts';

/** What each code means for the caller of the command: its exit code (see `hotexec --help`). */
const table = {
  /** The command line or a file named in it makes no sense. Nothing was looked at. */
  usage: 2,
  /** No such process, container or context. */
  'target-not-found': 5,
  /** The runtime that knows the target does not answer, or is on another machine. */
  'runtime-unreachable': 5,
  /** The agent in the pod does not answer: it has ended, or was not started. */
  'agent-unreachable': 5,
  /** The agent in the pod is of another version. */
  'agent-skewed': 5,
  /** The kernel or the runtime does not let this user do it. */
  'not-permitted': 5,
  /** Several containers or pods are meant, and one is wanted. */
  'target-ambiguous': 5,
  /** The agent in the pod did not start: its image, its configuration, or its node. */
  'agent-not-started': 5,
  /** The workload's pods are being replaced. */
  'rollout-under-way': 5,
  /** A process hotexec never touches: a kernel thread, /pause, a runtime or shim, the host's pid 1, hotexec itself. */
  'target-excluded': 5,
  /** The process has ended and waits for its parent. */
  'target-zombie': 5,
  /** Its cgroup is frozen (`docker pause`). */
  'target-frozen': 5,
  /** Another tracer holds it. */
  'target-traced': 5,
  /** Another hotexec works on it. */
  'target-busy': 5,
  /** Not the process that was meant: the pid has a new owner, or another container. */
  'target-changed': 5,
  /** A 32-bit or x32 program, or a CPU hotexec does not know. */
  'architecture-unsupported': 5,
  /** A pod's runtime is a sandbox of its own (gVisor, Kata Containers), or keeps the agent apart from the program. */
  'runtime-unsupported': 5,
  /** The process has overwritten its arguments or environment and there is no spec to take them from. */
  'program-unknown': 5,
  /** Something that execve cannot give back differs from a fresh start (`--force` goes on). */
  'not-fresh': 5,
  /** `--format gdb`: the plan has something that a gdb script cannot do. */
  'script-impossible': 5,
  /** `--driver gdb`: no gdb that can be used is there. */
  'gdb-missing': 5,
  /** `--driver gdb`: something that gdb cannot do is needed here. */
  'gdb-impossible': 5,
  /** A pod's liveness probe would have the kubelet kill the container meanwhile (`--force` goes on). */
  'liveness-budget': 5,
  /** The memory limit leaves no room for the restart. */
  'memory-too-small': 5,
  /** A thread could not be stopped in time. */
  'hold-timeout': 1,
  /** The program cannot be started: found by reading its file. */
  'program-not-startable': 1,
  /** The kernel refused the program: by the dry run, or by execve itself. */
  'exec-refused': 1,
  /** A seccomp filter of the target forbids a system call that the restart needs. */
  'seccomp-forbids': 1,
  /** `--driver gdb`: gdb was refused, did not answer, or was killed. */
  'gdb-failed': 1,
  /** A system call made in the target, or on it, failed. */
  'remote-call-failed': 1,
  /** The journal could not be written, so nothing was begun. */
  'journal-unwritable': 1,
  /** `--timeout` ran out. */
  timeout: 1,
  /** An earlier hotexec was killed and its work on this target could not be mended. */
  'mend-failed': 1,
  /** The new program failed its probation; the previous one runs again. */
  'new-program-failed': 3,
  /** A pod was restarted, and is not available after it. */
  'not-ready': 1,
  /** Of several pods some were not restarted; the list of them tells which, and why. */
  'pods-failed': 7,
  /** A file could not be brought into the container; what had been brought was taken away again. */
  'file-not-written': 1,
  /** A file may not be brought there: a volume, a mount that the kubelet owns, a special file system, a read-only one. */
  'file-refused': 5,
  /** `rollback`: the record has no such version, or none at all. */
  'no-such-version': 5,
  /** The record has it, but not all that it takes to go back to it. */
  'version-unavailable': 5,
  /** The process is gone. */
  'target-lost': 4,
  /** The engine's fate is not known. */
  'outcome-unknown': 6,
  /** Somebody else stopped the container meanwhile; it was let go. */
  'stopped-by-other': 8,
  /** Cancelled before the point of no return. */
  cancelled: 130,
  /** The engine was killed; what it had begun was undone. */
  'engine-killed': 1,
  /** A fault in hotexec itself. */
  bug: 70,
} as const;

export type ErrorCode = keyof typeof table;

export const exitCodes: Readonly<Record<ErrorCode, number>> = table;

/** Plain data: what crosses the process boundary and stands in the JSON output. */
export interface ErrorData {
  readonly code: ErrorCode;
  /** A sentence or two for a person, without a final line break. */
  readonly message: string;
  /** What to do next; null where there is nothing to do. */
  readonly hint: string | null;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

interface ErrorOptions {
  readonly cause?: unknown;
  readonly result?: RestartResult;
  readonly list?: RestartList;
}

export class HotexecError extends Error {
  override readonly name = 'HotexecError';
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  /** What came of the restart, when one had begun: the outcome, and the program that runs now. */
  readonly result: RestartResult | null;
  /** The same of several pods. */
  readonly list: RestartList | null;

  constructor(data: ErrorData, options: ErrorOptions = {}) {
    super(data.message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = data.code;
    this.hint = data.hint;
    this.details = data.details ?? {};
    this.result = options.result ?? null;
    this.list = options.list ?? null;
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }

  toData(): ErrorData {
    return { code: this.code, message: this.message, hint: this.hint, details: this.details };
  }
}

/** The data of any thrown value; what is not a HotexecError is a bug and says so. */
export function errorData(error: unknown): ErrorData {
  if (error instanceof HotexecError) return error.toData();
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'bug', message: `hotexec failed in a way it does not know: ${text}`, hint: 'please report this' };
}
