// What a caller of the library may ask for. src/front/change.ts makes of it what the engine is asked.
import type { HotexecEvent } from '../protocol/event.ts';

export interface CallOptions {
  /** Cancels: before the point of no return the old program runs on and the promise rejects with the code `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: HotexecEvent) => void) | undefined;
  /** What is being waited for before there are events, as a clause: of a pod, that its agent starts. */
  readonly onProgress?: ((doing: string) => void) | undefined;
  /** Of pods and workloads; a target of this machine is refused with it. */
  readonly kubernetes?: KubernetesOptions | undefined;
}

/** Which cluster, as whom, which container, and the agent beside it: kubectl's own where it has them. */
export interface KubernetesOptions {
  /** A file; without it those of KUBECONFIG, `~/.kube/config`, or the service account of the pod that this runs in. */
  readonly kubeconfig?: string;
  /** Without it the current one. */
  readonly context?: string;
  /** Without it that of the context, else `default`. */
  readonly namespace?: string;
  /** As another user, who may be impersonated. */
  readonly as?: string;
  readonly asGroups?: readonly string[];
  /** Without it the pod's default container, or its only one. */
  readonly container?: string;
  readonly agent?: AgentOptions;
}

/** Of a new agent; one that is there is used as it is. */
export interface AgentOptions {
  /** Without it HOTEXEC_AGENT_IMAGE, or the one of this version. */
  readonly image?: string;
  /** How long it stays without use, in ms: from a second to a week; 15 minutes without it. */
  readonly ttlMs?: number;
  /** The program's own user needs no capability, uid 0 gets SYS_PTRACE; without it as the pod tells. */
  readonly user?: { readonly uid: number; readonly gid?: number };
}

/** What restart() and replace() have in common. */
export interface ChangeOptions extends CallOptions {
  /** The file to execute, a path inside the container; without it found from the command. */
  readonly exe?: string;
  readonly cwd?: string;
  /** Variables to set; null unsets one. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Where command and environment come from: what runs now, or what the runtime would start. */
  readonly from?: 'auto' | 'process' | 'spec';
  /** Files and directories brought into the container before the new program starts; all of them or none. */
  readonly copies?: readonly Copy[];
  /** False: the old program is replaced at once, and not asked to finish first; true without it. */
  readonly drain?: boolean;
  /** How long it may take to finish before it is replaced by force, in ms; without it the container's own stop timeout, else 10,000. */
  readonly gracePeriodMs?: number;
  /** What asks it to finish: `SIGQUIT`, `15`, `RTMIN+3`; without it the container's own stop signal, else SIGTERM. */
  readonly stopSignal?: string;
  /** False: its listening sockets are closed with it, and not given to the new program; true without it. */
  readonly handover?: boolean;
  /** Descriptors above 2 that stay open. */
  readonly keepFds?: readonly number[];
  /** What becomes of the old program's children; `kill` without it. */
  readonly children?: 'kill' | 'keep';
  /** Of pods: the container's preStop hook is run before the stop signal, its postStart hook after the new program's start; false without it. */
  readonly hooks?: boolean;
  /** What holds the target: hotexec itself (`ptrace`), or a gdb of this machine, which needs `drain: false`; `ptrace` without it. */
  readonly driver?: 'ptrace' | 'gdb';
  /** Of a gdb: how the target is made to call the kernel, by its registers or by functions of its own C library; `syscall` without it. */
  readonly gdbCall?: 'syscall' | 'libc';
  /** Goes on although something cannot be as after a fresh start. */
  readonly force?: boolean;
  /** Until the point of no return, files brought included; 30,000 without it. */
  readonly timeoutMs?: number;
  /** Tells each system call made in the target as an event. */
  readonly verbose?: boolean;
  /** Tells what a picture of the restart is drawn from, as events. */
  readonly timeline?: boolean;
  /**
   * For how long an early end of the new program is caught and the previous one started again, in ms. 0: not at all. Without it until as many
   * listeners are open as before, at most 10,000.
   */
  readonly probationMs?: number;
  /** `http://HOST[:PORT]/PATH` or `tcp:HOST:PORT`: must be answered by the new program, from within the container's network, before its probation is over. */
  readonly probe?: string;
  /** False: a new program that fails ends, and the container with it; true without it. */
  readonly rollback?: boolean;
}

/** What rollback() takes of them: how it is done, not what is started. */
type HowOptions = Pick<
  ChangeOptions,
  | 'drain'
  | 'gracePeriodMs'
  | 'stopSignal'
  | 'handover'
  | 'hooks'
  | 'keepFds'
  | 'children'
  | 'force'
  | 'timeoutMs'
  | 'verbose'
  | 'timeline'
  | 'probationMs'
  | 'probe'
  | 'rollback'
>;

export interface RollbackOptions extends CallOptions, HowOptions {
  /** The number of a version, as history() tells it; without it the program before this one. */
  readonly to?: number;
}

export interface RestartOptions extends ChangeOptions {
  /** The whole new command; without it the same program is started again. */
  readonly command?: readonly string[];
}

export interface ReplaceOptions extends ChangeOptions {
  /** The new executable, a file on this machine; it is put in the place of the old one. */
  readonly with: string;
  /** The arguments after argv[0]; without it those of the old program. */
  readonly args?: readonly string[];
  /** Where the new executable is kept: `auto` on disk, or in memory where the file system takes no file; without it `auto`. */
  readonly inMemory?: 'auto' | 'always' | 'never';
}

/** A file or directory that is brought into the container. */
export interface Copy {
  /** On this machine; relative to the working directory. */
  readonly source: string;
  /** Absolute, inside the container; with a final `/` the directory that the file goes into. */
  readonly destination: string;
  /** Ids as inside the container; without it of the file that is replaced, else the program's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The destination may be on a volume, whose content outlives the container. */
  readonly allowVolume?: boolean;
}

export interface InspectOptions extends CallOptions {
  /** Values of the environment too, not only names. */
  readonly showEnvironment?: boolean;
}
