// Everything hotexec changes in a target before the point of no return, as plain data: what a mender needs to put it back.
// Undo for each kind stands in undo.ts. Numbers that may exceed 2^53 are hexadecimal strings.

export type Change =
  /** A group-stop, which keeps the target still when its tracer is killed; and the signal mask of the one thread that is traced. */
  | {
      readonly kind: 'stopped';
      /** The target, or a process of its new program that takes over a listener. */
      readonly pid: number;
      readonly alreadyStopped: boolean;
      readonly tid: number;
      readonly mask: string;
    }
  /** One thread's registers, borrowed for remote calls. */
  | { readonly kind: 'registers'; readonly tid: number; readonly bytes: string }
  /**
   * The same, of a thread that was about to make a bind: with `bytes` it makes it again. If descriptor `fd` has meanwhile become `file`
   * (device and inode of a held socket), the call has been answered.
   */
  | {
      readonly kind: 'bind';
      readonly tid: number;
      readonly fd: number;
      readonly file: string;
      readonly bytes: string;
    }
  /** Scratch memory at an address of our choice; its first bytes are the nonce. */
  | { readonly kind: 'mapping'; readonly address: string; readonly sizeBytes: number; readonly nonce: string }
  /** FD_CLOEXEC set on some descriptors and cleared on others. */
  | { readonly kind: 'descriptorFlags'; readonly set: readonly number[]; readonly cleared: readonly number[] }
  /**
   * A child that shares the target's memory; `before` are the children the target had (pids as the engine sees them). `room`: where in
   * the scratch memory its SIGCHLD can be taken back to; null: it sends none, or the target had one waiting already.
   */
  | { readonly kind: 'child'; readonly before: readonly number[]; readonly room: string | null }
  /** The child that keeps the old memory alive across the exec: what is left of it must be waited for. Lives on after the exec. */
  | { readonly kind: 'holder'; readonly pidInside: number }
  /** Descriptors on their way into the target: the room in its memory names those that were made (remote/push-descriptor.ts). */
  | { readonly kind: 'passage'; readonly room: string }
  /** A descriptor of ours in the target; `file` is the device and inode of what it stands for. */
  | { readonly kind: 'descriptor'; readonly fd: number; readonly file: string }
  /** The thread's own mask, which it was made to change itself, by means of `room` in the scratch memory; truer than that in `stopped`. */
  | { readonly kind: 'mask'; readonly mask: string; readonly room: string }
  /** A gdb of ours that holds the target for us: it is ended before anything else is put in order. */
  | { readonly kind: 'tracer'; readonly pid: number; readonly startTicks: number }
  /** Personality bits, which take effect in execve. */
  | { readonly kind: 'personality'; readonly value: number }
  | FileChange;

/** A change to the container's files. `directory` is a path inside its root, without links. */
export type FileChange =
  /** A file, link or directory under a name that only hotexec uses; it is there from now on, or never. */
  | { readonly kind: 'temporary'; readonly directory: string; readonly name: string }
  /** A finished file that is renamed to its name in the hold, and a second name (`kept`) for the file that is there. */
  | {
      readonly kind: 'file';
      readonly directory: string;
      /** `device:inode` of the directory: where the old file is not found, it tells whether it was looked for in the right one. */
      readonly directoryIdentity: string;
      readonly name: string;
      readonly temporary: string;
      /** `inode@nanoseconds`, of its making: tells the new file from every other one. Null: there is none, the name goes. */
      readonly birth: string | null;
      readonly kept: KeptFile | null;
    }
  /** A directory of ours, renamed to its name. */
  | { readonly kind: 'directory'; readonly directory: string; readonly name: string; readonly birth: string };

/** The old file as it was: once the new one stays, it loses what would make it a danger under its other name. */
export interface KeptFile {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The extended attribute security.capability, hexadecimal; null: none. */
  readonly capability: string | null;
}

/** Says where the exec stands: written before its effect, where it has one. */
export type Mark =
  /** execve may happen from now on; changes written later are the new program's. */
  | 'exec'
  /** execve has failed, or is not tried any more: the old program is there, whatever the scratch memory looks like. */
  | 'no-exec'
  /** The new program has its own registers; only its signal mask and the stop are left to end. */
  | 'own'
  /** The new program runs as its own; changes written later are made to it. */
  | 'released'
  /** The old program is told to finish: from now on it is to be followed by the new one, whatever was changed in it. */
  | 'draining'
  /** Its stop signal is sent now: whoever goes on sends it no other. */
  | 'asked'
  /**
   * The new program was about to end, or did not answer: the previous one is to be started, and all that is written later is about that.
   * Nothing of what was changed in a program before concerns anybody any more.
   */
  | 'failed'
  /** The new program is there, but only started again it will be right; changes written later are made to it. */
  | 'again';
