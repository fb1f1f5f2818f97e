// A held thread that makes system calls for us: borrowed registers, a `syscall` instruction that is already in the target, and two
// syscall-stops a call. No code is written, no signal is raised, nothing is single-stepped (a trap flag outlives its tracer and kills).
import { arch, type SyscallName } from '../arch/arch.ts';
import type { Registers } from '../arch/registers.ts';
import { EPERM } from '../native/errno.ts';
import type { Argument } from '../native/syscall.ts';
import type { HeldThread } from '../tracer/held-thread.ts';
import type { LiveStop } from '../tracer/tracee.ts';

/** Calls that must not be made remotely: they overwrite the restart block, and an interrupted sleep of the target would answer EINTR. */
export type RemoteName = Exclude<SyscallName, 'poll' | 'ppoll' | 'epoll_wait'>;

export interface RemoteCall {
  readonly tid: number;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly result: number;
  readonly durationUs: number;
}

export type RemoteObserver = ((call: RemoteCall) => void) | null;

/** A filter may kill for a call, so it is asked first. */
export type Allows = (name: SyscallName, ...args: readonly Argument[]) => boolean;

export interface RemoteMeans {
  /** Address of a syscall instruction in the target. */
  readonly instruction: bigint;
  readonly observe: RemoteObserver;
  readonly allows: Allows;
}

const callDeadlineMs = 5_000;

export class RemoteThread {
  readonly tracee: HeldThread;
  readonly #base: Registers;
  readonly #instruction: bigint;
  readonly #observe: RemoteObserver;
  readonly #allows: Allows;

  /** `base` are registers to start from: segment registers and flags matter. */
  constructor(tracee: HeldThread, base: Registers, means: RemoteMeans) {
    this.tracee = tracee;
    this.#base = base.copy();
    this.#instruction = means.instruction;
    this.#observe = means.observe;
    this.#allows = means.allows;
  }

  /** What another thread of the same memory needs to make calls. */
  get means(): RemoteMeans {
    return { instruction: this.#instruction, observe: this.#observe, allows: this.#allows };
  }

  get tid(): number {
    return this.tracee.tid;
  }

  /** Whether the target's seccomp filters let this very call through. */
  may(name: RemoteName, ...args: readonly Argument[]): boolean {
    return this.#allows(name, ...args);
  }

  /**
   * Makes the call in the target: its result, or -errno; -EPERM for a call that a filter does not let through, which is not made.
   * Throws TraceeGone when the target ends meanwhile.
   */
  call(name: RemoteName, ...args: readonly Argument[]): number {
    if (!this.may(name, ...args)) return -EPERM;
    const startedMs = performance.now();
    this.enter(name, ...args);
    this.tracee.resumeToSyscall();
    this.#awaitSyscallStop();
    return this.#finish(name, args, startedMs);
  }

  /** Up to the entry of the call: the kernel has not begun it. */
  enter(name: RemoteName, ...args: readonly Argument[]): void {
    this.#base.prepareCall(this.#instruction, arch.syscalls[name], args);
    this.tracee.setRegisters(this.#base);
    this.tracee.resumeToSyscall();
    this.#awaitSyscallStop();
  }

  /** Goes on from the entry or an event to the next stop that belongs to the call. `meanwhile`: what we do before we look for it. */
  advance(meanwhile?: () => void): 'exit' | 'clone' | 'exec' {
    this.tracee.resumeToSyscall();
    meanwhile?.();
    for (;;) {
      const stop = this.tracee.next(performance.now() + callDeadlineMs);
      if (stop.kind === 'syscall') return 'exit';
      if (stop.kind === 'clone' || stop.kind === 'exec') return stop.kind;
      this.tracee.resumeToSyscall();
    }
  }

  /** The result at a syscall-exit-stop. */
  result(): number {
    return Number(this.tracee.registers().result);
  }

  /** Tells the observer of a call that was made with enter and advance. */
  report(name: RemoteName, args: readonly Argument[], result: number, startedMs: number): void {
    this.#observe?.({ tid: this.tid, name, args, result, durationUs: (performance.now() - startedMs) * 1000 });
  }

  read(address: bigint, sizeBytes: number): Buffer | number {
    return this.tracee.read(address, sizeBytes);
  }

  write(address: bigint, bytes: Buffer): number {
    return this.tracee.write(address, bytes);
  }

  #finish(name: RemoteName, args: readonly Argument[], startedMs: number): number {
    const result = this.result();
    this.report(name, args, result, startedMs);
    return result;
  }

  #awaitSyscallStop(): LiveStop {
    for (;;) {
      const stop = this.tracee.next(performance.now() + callDeadlineMs);
      // Stops of the group-stop's own accord, and signals: all but SIGSTOP are blocked, and stopped is what the thread is.
      if (stop.kind === 'syscall') return stop;
      this.tracee.resumeToSyscall();
    }
  }
}
