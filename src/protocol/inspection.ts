// What `hotexec inspect` prints: what runs in the target, and whether it can be restarted here.
// Addresses are hexadecimal strings with 0x, since JSON numbers cannot hold 64 bits.
import type { ErrorData } from '../errors.ts';
import type { PlannedDrain, PlannedListener } from './plan.ts';
import type { ContainerIdentity } from './request.ts';
import type { NotFresh } from './result.ts';

export interface Inspection {
  readonly apiVersion: 'hotexec/v1';
  readonly kind: 'Inspection';
  readonly operationId: string;
  readonly target: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly container: ContainerIdentity | null;
  readonly program: {
    /** As /proc/PID/exe shows it, inside the container. */
    readonly exe: string;
    /** The file was deleted or replaced since the start. */
    readonly exeReplaced: boolean;
    /** AT_EXECFN: the path given to execve; null when it cannot be read. */
    readonly execPath: string | null;
    readonly argv: readonly string[];
    readonly argvIntact: boolean;
    readonly environmentNames: readonly string[];
    /** `NAME=value`; only when asked for. */
    readonly environment: readonly string[] | null;
    readonly environmentIntact: boolean;
    readonly cwd: string;
    readonly root: string;
    /** What the runtime's spec would start, where it is known. */
    readonly spec: { readonly argv: readonly string[] | null; readonly cwd: string | null } | null;
  };
  /** Where what runs differs from what the container's spec would start. Where no spec is known only the executable is looked at. */
  readonly drift: readonly Drift[];
  readonly memory: {
    readonly argStart: string;
    readonly argEnd: string;
    readonly envStart: string;
    readonly envEnd: string;
    readonly stackStart: string;
    readonly residentBytes: number;
    /** Free room under the cgroup's memory limit; null: no limit. */
    readonly headroomBytes: number | null;
  };
  readonly descriptors: readonly InspectedDescriptor[];
  readonly threads: readonly InspectedThread[];
  readonly children: readonly {
    readonly pid: number;
    readonly comm: string;
    readonly state: string;
    readonly spared: boolean;
  }[];
  readonly credentials: {
    readonly uid: readonly number[];
    readonly gid: readonly number[];
    readonly groups: readonly number[];
    readonly capabilities: Readonly<Record<'inheritable' | 'permitted' | 'effective' | 'bounding' | 'ambient', string>>;
    readonly noNewPrivileges: boolean;
  };
  readonly seccomp: { readonly mode: 'disabled' | 'strict' | 'filter'; readonly filters: number | null };
  readonly signals: Readonly<Record<'ignored' | 'caught' | 'blocked' | 'pending', readonly string[]>>;
  readonly limits: Readonly<Record<string, { readonly soft: string; readonly hard: string }>>;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly verdict: {
    readonly possible: boolean;
    readonly refusals: readonly ErrorData[];
    readonly notFresh: readonly NotFresh[];
    readonly warnings: readonly string[];
    /** How it would finish in a restart without flags, and what would become of the sockets that it serves. */
    readonly drain: PlannedDrain;
    readonly listeners: readonly PlannedListener[];
  };
}

export type Drift =
  | { readonly kind: 'arguments'; readonly running: readonly string[]; readonly spec: readonly string[] }
  /** Names; with `--show-env` `NAME=value`: what the process has, of what was removed what the spec has. */
  | {
      readonly kind: 'environment';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    }
  | { readonly kind: 'directory'; readonly running: string; readonly spec: string }
  /**
   * `replaced`: another file stands at the path of the one that runs. `deleted`: none does. `in-memory`: it never had one (memfd).
   * `other`: the arguments are those of the spec, the file is not. `path`: what runs.
   */
  | {
      readonly kind: 'executable';
      readonly state: 'replaced' | 'deleted' | 'in-memory' | 'other';
      readonly path: string;
    };

export interface InspectedDescriptor {
  readonly fd: number;
  /** What /proc/PID/fd/N points to. */
  readonly target: string;
  readonly closeOnExec: boolean;
  readonly nonBlocking: boolean;
  readonly socket: {
    readonly protocol: string;
    readonly local: string;
    readonly remote: string | null;
    readonly state: string;
  } | null;
}

export interface InspectedThread {
  readonly tid: number;
  readonly name: string;
  readonly state: string;
  /** The system call it waits in, as /proc/PID/task/TID/syscall names it; null: running, or not readable. */
  readonly syscall: string | null;
}
