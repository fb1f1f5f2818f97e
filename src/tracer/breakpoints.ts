// Stops a traced thread right before it runs an instruction, without a stop anywhere else: hardware breakpoints, as perf events that send
// the thread a signal (perf_event_open(2), PERF_TYPE_BREAKPOINT; fcntl(2), F_SETSIG). No byte of the program is written.
//
// Not by PTRACE_POKEUSER on u_debugreg: those registers outlive a tracer that is killed, and the program dies of SIGTRAP when it gets there
// (seen on Linux 6.18: every time). A perf event ends with the descriptor, so with us. Nor by its `sigtrap`: a tracer that is killed
// within 2 ms of the hit leaves a SIGTRAP behind (half of those runs). SIGURG is ignored by default and Go's runtime bears a stray one:
// 4,500 tracers killed around the hit, and each program ended by its own exit code.
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { arch } from '../arch/arch.ts';
import { EACCES, EPERM } from '../native/errno.ts';
import { allocate } from '../native/memory.ts';
import { syscall } from '../native/syscall.ts';
import { Registers } from '../arch/registers.ts';
import { getRegisters } from './ptrace/requests.ts';

/** What a thread that has come to a breakpoint is about to get. One that is really meant for the program must be passed on. */
export const breakpointSignal: number = constants.signals.SIGURG;

/** The debug registers of a CPU. */
export const mostBreakpoints = 4;

const PERF_TYPE_BREAKPOINT = 5;
const HW_BREAKPOINT_X = 4;
// struct perf_event_attr up to bp_len (PERF_ATTR_SIZE_VER1), and its flags
const attributesSizeBytes = 72;
const exclude_kernel = 1n << 5n;
const exclude_hv = 1n << 6n;
const remove_on_exec = 1n << 36n;
const PERF_FLAG_FD_CLOEXEC = 8;
const F_SETFL = 4;
const F_SETSIG = 10;
const F_SETOWN_EX = 15;
const F_OWNER_TID = 0;
const O_ASYNC = 0o2_0000;

/** Of what a program may map (vm.mmap_min_addr, at least a page). */
const lowestAddress = 4096n;

const attributes = allocate(attributesSizeBytes);
const owner = allocate(8);

export class Breakpoints implements Disposable {
  readonly #addresses: readonly bigint[];
  readonly #descriptors = new Map<number, readonly number[]>();

  /** Four addresses at most. */
  constructor(addresses: readonly bigint[]) {
    if (addresses.length > mostBreakpoints) throw new Error(`${addresses.length} breakpoints are more than a CPU has`);
    this.#addresses = addresses;
  }

  /**
   * Sets them for this thread alone: neither its threads nor its children inherit them, and an execve removes them. It need not be stopped.
   * 0, or -errno and none is set: EACCES without CAP_PERFMON or CAP_SYS_ADMIN (perf_event_paranoid), ENOSPC when the debug registers
   * are taken, EMFILE (one descriptor each), EINVAL before Linux 5.13.
   */
  set(tid: number): number {
    this.clear(tid);
    const descriptors: number[] = [];
    this.#descriptors.set(tid, descriptors);
    for (const address of this.#addresses) {
      const fd = open(tid, address);
      const result = fd < 0 ? fd : signalThread(fd, tid);
      if (fd >= 0) descriptors.push(fd);
      if (result >= 0) continue;
      this.clear(tid);
      return result;
    }
    return 0;
  }

  /** Which one the thread has come to; null: none. It is at its signal-delivery-stop of `breakpointSignal`, which is then to be dropped. */
  hit(tid: number): bigint | null {
    const registers = new Registers();
    if (!this.#descriptors.has(tid) || getRegisters(tid, registers.bytes) < 0) return null;
    return this.#addresses.find((address) => address === registers.instructionPointer) ?? null;
  }

  /** Also for a thread that has ended. */
  clear(tid: number): void {
    for (const fd of this.#descriptors.get(tid) ?? []) closeSync(fd);
    this.#descriptors.delete(tid);
  }

  [Symbol.dispose](): void {
    for (const tid of this.#descriptors.keys()) this.clear(tid);
  }
}

/** Whether `set` may answer anything but EACCES and EPERM for this thread. Where a breakpoint would be makes no difference to that. */
export function mayBreak(tid: number): boolean {
  using one = new Breakpoints([lowestAddress]);
  return !isForbidden(one.set(tid));
}

/** An answer of `set`: by this user none can be set, for any thread of the process. */
export function isForbidden(answer: number): boolean {
  return answer === -EPERM || answer === -EACCES;
}

function open(tid: number, address: bigint): number {
  const { view, bytes } = attributes;
  bytes.fill(0);
  view.setUint32(0, PERF_TYPE_BREAKPOINT, true);
  view.setUint32(4, attributesSizeBytes, true);
  view.setBigUint64(16, 1n, true); // sample_period: tell of every hit
  view.setBigUint64(40, exclude_kernel | exclude_hv | remove_on_exec, true);
  view.setUint32(52, HW_BREAKPOINT_X, true);
  view.setBigUint64(56, address, true);
  view.setBigUint64(64, 8n, true); // sizeof(long), which is what an execution breakpoint wants
  return syscall(arch.syscalls.perf_event_open, attributes.address, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

function signalThread(fd: number, tid: number): number {
  owner.view.setInt32(0, F_OWNER_TID, true);
  owner.view.setInt32(4, tid, true);
  const owned = syscall(arch.syscalls.fcntl, fd, F_SETOWN_EX, owner.address);
  if (owned < 0) return owned;
  const signalled = syscall(arch.syscalls.fcntl, fd, F_SETSIG, breakpointSignal);
  return signalled < 0 ? signalled : syscall(arch.syscalls.fcntl, fd, F_SETFL, O_ASYNC);
}
