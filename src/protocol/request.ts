// What a front asks of an engine: one JSON document on the engine's standard input.
// Values of arguments and the environment are secrets; they travel here and never in a command line.
import type { HookEnd, Hooks } from './hook.ts';

/** One process, named so that a recycled pid cannot be mistaken for it. */
export interface TargetProcess {
  /** As the user wrote it: `docker/web`, `pid/1234`. For messages only. */
  readonly name: string;
  /** In the pid namespace of the engine. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly startTicks: number;
  readonly container: ContainerIdentity | null;
  /** What the runtime started, where that can be read. */
  readonly spec: ProgramSpec | null;
  /** Where it is not the machine's own directories that outlive whoever asks: an agent's file system goes with the agent. */
  readonly lasting?: LastingPlaces;
}

/** In memory that all containers of a pod share: what lies there is sealed, and small. */
export interface LastingPlaces {
  /** Null: there is no room for one now. */
  readonly journals: string | null;
  readonly history: string;
}

export interface ContainerIdentity {
  readonly id: string;
  readonly name: string | null;
  /** `docker`, `containerd`, `cri-o`, `podman`, or the shim's own name. */
  readonly runtime: string;
}

/** The part of the OCI runtime spec (config.json) that a fresh start is made of. Null: the source does not tell. */
export interface ProgramSpec {
  /** Where it was read: a bundle's config.json, or the runtime's API. */
  readonly source: 'bundle' | 'api';
  readonly args: readonly string[] | null;
  readonly env: readonly string[] | null;
  readonly cwd: string | null;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
    readonly umask: number | null;
  } | null;
  readonly terminal: boolean | null;
  readonly noNewPrivileges: boolean | null;
  readonly oomScoreAdj: number | null;
  readonly capabilities: {
    readonly bounding: readonly string[];
    readonly effective: readonly string[];
    readonly permitted: readonly string[];
    readonly inheritable: readonly string[];
    readonly ambient: readonly string[];
  } | null;
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[] | null;
  /** True when the runtime installs a seccomp filter. */
  readonly seccomp: boolean | null;
  /** Linux personality of the spec (`LINUX`, `LINUX32`); null is the default. */
  readonly personality: string | null;
  readonly stopSignal: string | null;
  readonly stopTimeoutSeconds: number | null;
}

/** How the new program differs from the old one. Empty: the same again. */
export interface ProgramChange {
  /** `process`: what runs now; `spec`: what the runtime would start; `auto`: the process, or the spec where the process has overwritten it. */
  readonly from: 'auto' | 'process' | 'spec';
  /** A program that ran there before, with the files it had (`rollback`); null: none of them. */
  readonly version: 'previous' | number | null;
  /** The whole new command; null keeps the old one. */
  readonly command: readonly string[] | null;
  /** The file to execute, a path inside the container; null: found from the command. */
  readonly exe: string | null;
  readonly cwd: string | null;
  /** The arguments after argv[0] alone (`replace … -- ARG...`); null keeps them. `command` goes before it. */
  readonly args: readonly string[] | null;
  /** A file that becomes the executable (`replace --with`); null: none. */
  readonly replacement: Replacement | null;
  /** Files brought into the container before the exec. */
  readonly files: readonly FileCopy[];
  readonly env: {
    /** A file gave `set`: where the old environment is not known any more, that is the whole of the new one. */
    readonly standsAlone: boolean;
    readonly set: readonly (readonly [name: string, value: string])[];
    readonly unset: readonly string[];
  };
}

/** A new executable: written beside the old one and renamed over it, or kept in memory. */
export interface Replacement {
  /** Where hotexec runs; absolute. */
  readonly source: string;
  /** `auto`: in memory where the file system takes no file; `always`: `--in-memory`; `never`: on disk, or not at all. */
  readonly inMemory: 'auto' | 'always' | 'never';
}

/** `--copy SRC:DEST`. */
export interface FileCopy {
  /** A file or directory where hotexec runs; absolute. */
  readonly source: string;
  /** Absolute, inside the container. */
  readonly destination: string;
  /** `--chown`, ids as inside the container; null: of the file that is replaced, else the program's own. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** `--allow-volume`: the destination may be on a volume, whose content outlives the container. */
  readonly allowVolume: boolean;
}

/** Must be answered by the new program before its probation is over; made in the network namespace of the target. */
export type Probe = (
  | {
      readonly kind: 'http';
      readonly host: string;
      readonly port: number;
      readonly path: string;
      /** In place of those that hotexec would send, Host among them; missing: none. */
      readonly headers?: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
) & {
  /** For one attempt, in ms; missing: 1,000. */
  readonly timeoutMs?: number;
};

export interface RestartOptions {
  readonly keepFds: readonly number[];
  readonly children: 'kill' | 'keep';
  readonly force: boolean;
  /** Until the point of no return, in ms. */
  readonly timeoutMs: number;
  /** Report each system call made in the target as an event. */
  readonly verbose: boolean;
  /** Tell what a picture of it is drawn from. */
  readonly timeline: boolean;
  /** For how long an early end of the new program is caught, in ms; 0: not at all; null: until it listens again, 10 s at most. */
  readonly probationMs: number | null;
  /** Of `probationMs` null: how long it may take until it listens again and answers the probe, in ms; missing: 10,000. */
  readonly probationLimitMs?: number;
  /** An exit with 0 is what the program is for, although the old one listens: its pod is not started again after it. Missing: false. */
  readonly mayFinish?: boolean;
  readonly probe: Probe | null;
  /** False: an end of the new program is not held back, the container ends as it would. */
  readonly rollback: boolean;
  /** False: the old program is replaced at once (`--no-drain`). */
  readonly drain: boolean;
  /** How long its shutdown may take before it is replaced by force, in ms; null: the container's own stop timeout, else 10 s. */
  readonly gracePeriodMs: number | null;
  /** What tells it to finish, as kill(1) takes it; null: the container's own stop signal, else SIGTERM. */
  readonly signal: string | null;
  /** False: listening sockets are closed with the old program (`--no-handover`). */
  readonly handover: boolean;
  /** The container's preStop and postStart hooks are run (`--hooks`). */
  readonly runHooks: boolean;
  /** Of `runHooks`: what they are; missing: it has none. */
  readonly hooks?: Hooks;
  /** What holds the target: hotexec itself by ptrace(2), or a gdb that it starts. */
  readonly driver: Driver;
  /** Of a gdb: system calls by the thread's registers, or functions of the program's own C library. */
  readonly gdbCall: 'syscall' | 'libc';
}

export type Driver = 'ptrace' | 'gdb';

export interface GdbScriptOptions {
  /** `--show-env`: values too, not only names. */
  readonly showEnvironment: boolean;
}

export type EngineRequest =
  | {
      readonly kind: 'restart';
      readonly operationId: string;
      readonly target: TargetProcess;
      readonly program: ProgramChange;
      readonly options: RestartOptions;
    }
  | {
      readonly kind: 'plan';
      readonly operationId: string;
      readonly target: TargetProcess;
      readonly program: ProgramChange;
      readonly options: RestartOptions;
      /** `--format gdb`; null or missing: no script. */
      readonly gdbScript?: GdbScriptOptions | null;
    }
  | {
      readonly kind: 'inspect';
      readonly operationId: string;
      readonly target: TargetProcess;
      /** `--show-env`: values too, not only names. */
      readonly showEnvironment: boolean;
    }
  /** The programs that ran there. */
  | { readonly kind: 'history'; readonly operationId: string; readonly target: TargetProcess }
  /**
   * Stand by while another engine waits for the old program to finish: keep its sockets open too, and mend when told so. The end of the
   * input dismisses.
   */
  | {
      readonly kind: 'guard';
      readonly operationId: string;
      readonly target: TargetProcess;
      /** The engine that is at work; it holds the sockets that the old program has closed since. */
      readonly enginePid: number;
    }
  /** Finish or undo what a killed engine left on this target; the journal tells what. */
  | { readonly kind: 'mend'; readonly operationId: string; readonly target: TargetProcess };

export type RestartRequest = Extract<EngineRequest, { readonly kind: 'restart' }>;

/** A later line on the engine's standard input. The end of the input is not a cancel: the engine then finishes. */
export type EngineControl =
  | { readonly kind: 'cancel' }
  /** Answers the phase `release` after a drain: no guard has the target's sockets any more. */
  | { readonly kind: 'alone' }
  /** To a guard: the engine at work has died. */
  | { readonly kind: 'mend' }
  /** Of a hook that was due, by its number. */
  | { readonly kind: 'hook-ended'; readonly number: number; readonly end: HookEnd };

export const sameProgram: ProgramChange = {
  from: 'auto',
  version: null,
  command: null,
  exe: null,
  cwd: null,
  args: null,
  replacement: null,
  files: [],
  env: { standsAlone: false, set: [], unset: [] },
};

export const defaultRestartOptions: RestartOptions = {
  keepFds: [],
  children: 'kill',
  force: false,
  timeoutMs: 30_000,
  verbose: false,
  timeline: false,
  probationMs: null,
  probe: null,
  rollback: true,
  drain: true,
  gracePeriodMs: null,
  signal: null,
  handover: true,
  runHooks: false,
  driver: 'ptrace',
  gdbCall: 'syscall',
};
