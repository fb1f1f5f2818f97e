// The ptrace(2) requests hotexec uses, one function each. All return the kernel's answer: 0 or -errno.
// A tracer is a thread: these are made on the engine's main thread and nowhere else.
import { arch } from '../../arch/arch.ts';
import { allocate, mapMemory } from '../../native/memory.ts';
import { syscall } from '../../native/syscall.ts';

const PTRACE_CONT = 7;
const PTRACE_KILL = 8;
const PTRACE_GETREGS = 12;
const PTRACE_SETREGS = 13;
const PTRACE_SYSCALL = 24;
const PTRACE_SETOPTIONS = 0x4200;
const PTRACE_GETEVENTMSG = 0x4201;
const PTRACE_GETSIGINFO = 0x4202;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_LISTEN = 0x4208;
const PTRACE_PEEKSIGINFO = 0x4209;
const PTRACE_GETSIGMASK = 0x420a;
const PTRACE_SETSIGMASK = 0x420b;
const PTRACE_SECCOMP_GET_FILTER = 0x420c;
const PTRACE_GET_SYSCALL_INFO = 0x420e;
const PTRACE_GET_RSEQ_CONFIGURATION = 0x420f;
const PTRACE_DETACH = 17;

export const options = {
  TRACESYSGOOD: 0x1,
  TRACEFORK: 0x2,
  TRACEVFORK: 0x4,
  TRACECLONE: 0x8,
  TRACEEXEC: 0x10,
  EXITKILL: 0x10_0000,
} as const;

const registers = allocate(arch.registers.sizeBytes);
const word = allocate(8);
const signalInfo = allocate(128);
const peek = allocate(16);
const syscallInfo = allocate(88);
const rseqConfiguration = allocate(24);

export function seize(tid: number, optionBits: number): number {
  return request(PTRACE_SEIZE, tid, 0, optionBits);
}

export function setOptions(tid: number, optionBits: number): number {
  return request(PTRACE_SETOPTIONS, tid, 0, optionBits);
}

export function interrupt(tid: number): number {
  return request(PTRACE_INTERRUPT, tid, 0, 0);
}

/** Lets it run; `signal` is delivered first, 0 for none. */
export function resume(tid: number, signal: number): number {
  return request(PTRACE_CONT, tid, 0, signal);
}

/** Lets it run to the next entry or exit of a system call. */
export function resumeToSyscall(tid: number, signal: number): number {
  return request(PTRACE_SYSCALL, tid, 0, signal);
}

/** Keeps a thread in the group-stop that it has reported: it is stopped, and a SIGCONT wakes it. */
export function listen(tid: number): number {
  return request(PTRACE_LISTEN, tid, 0, 0);
}

export function detach(tid: number, signal: number): number {
  return request(PTRACE_DETACH, tid, 0, signal);
}

export function kill(tid: number): number {
  return request(PTRACE_KILL, tid, 0, 0);
}

/** Copies the general registers into `into` (arch.registers.sizeBytes long). */
export function getRegisters(tid: number, into: Buffer): number {
  const result = request(PTRACE_GETREGS, tid, 0, registers.address);
  into.set(registers.bytes);
  return result;
}

export function setRegisters(tid: number, from: Buffer): number {
  registers.bytes.set(from);
  return request(PTRACE_SETREGS, tid, 0, registers.address);
}

/** The signals the thread blocks, bit n-1 for signal n; in sigsuspend the mask that comes back after it. */
export function getSignalMask(tid: number): bigint {
  request(PTRACE_GETSIGMASK, tid, 8, word.address);
  return word.view.getBigUint64(0, true);
}

export function setSignalMask(tid: number, mask: bigint): number {
  word.view.setBigUint64(0, mask, true);
  return request(PTRACE_SETSIGMASK, tid, 8, word.address);
}

/** Where a signal comes from, at its delivery-stop. */
export interface SignalInfo {
  /** si_code (sigaction(2)): 0 and less: sent by a process; more: by the kernel, for what the thread has done. */
  readonly code: number;
  /** Of the sender, in the pid namespace of the tracee; 0: it is in none that the tracee can see. */
  readonly senderPid: number;
}

export function getSignalInfo(tid: number): SignalInfo {
  request(PTRACE_GETSIGINFO, tid, 0, signalInfo.address);
  return { code: signalInfo.view.getInt32(8, true), senderPid: signalInfo.view.getInt32(16, true) };
}

const PTRACE_PEEKSIGINFO_SHARED = 1;

/** Signals that wait for the process, whichever thread will take them; the thread is at a stop. (ptrace(2), since Linux 3.10) */
export function waitingSignals(tid: number): readonly (SignalInfo & { readonly signal: number })[] {
  const waiting: (SignalInfo & { readonly signal: number })[] = [];
  // struct ptrace_peeksiginfo_args: offset, flags, how many
  peek.view.setUint32(8, PTRACE_PEEKSIGINFO_SHARED, true);
  peek.view.setInt32(12, 1, true);
  for (;;) {
    peek.view.setBigUint64(0, BigInt(waiting.length), true);
    if (request(PTRACE_PEEKSIGINFO, tid, peek.address, signalInfo.address) !== 1) return waiting;
    const number = (offset: number): number => signalInfo.view.getInt32(offset, true);
    waiting.push({ signal: number(0), code: number(8), senderPid: number(16) });
  }
}

export interface SyscallEntry {
  readonly number: number;
  readonly args: readonly [bigint, bigint, bigint];
}

/** Where a thread stands at a syscall-stop. (ptrace(2), since Linux 5.3) */
export interface SyscallStop {
  /** The call it is about to make; null: it stands at no entry. */
  readonly call: SyscallEntry | null;
  /** What the call it has made answers, or -errno; null: it stands at no exit. */
  readonly result: number | null;
}

const PTRACE_SYSCALL_INFO_ENTRY = 1;
const PTRACE_SYSCALL_INFO_EXIT = 2;
const noSyscall: SyscallStop = { call: null, result: null };

/** Also of a thread at another stop: both are null. */
export function syscallStop(tid: number): SyscallStop {
  // struct ptrace_syscall_info: op, arch, instruction_pointer, stack_pointer, then number and arguments, or the result
  const sizeBytes = request(PTRACE_GET_SYSCALL_INFO, tid, syscallInfo.bytes.length, syscallInfo.address);
  if (sizeBytes <= 0) return noSyscall;
  const field = (index: number): bigint => syscallInfo.view.getBigUint64(24 + index * 8, true);
  switch (syscallInfo.view.getUint8(0)) {
    case PTRACE_SYSCALL_INFO_ENTRY:
      return { call: { number: Number(field(0)), args: [field(1), field(2), field(3)] }, result: null };
    case PTRACE_SYSCALL_INFO_EXIT:
      return { call: null, result: Number(syscallInfo.view.getBigInt64(24, true)) };
    default:
      return noSyscall;
  }
}

/** What the last event stop was about: the new thread's id at a clone, the former thread id at an exec. */
export function eventMessage(tid: number): number {
  request(PTRACE_GETEVENTMSG, tid, 0, word.address);
  return Number(word.view.getBigUint64(0, true));
}

/** Address of the thread's struct rseq; 0n when it has none or the kernel is older than 5.13. */
export function rseqAddress(tid: number): bigint {
  const result = request(PTRACE_GET_RSEQ_CONFIGURATION, tid, 24, rseqConfiguration.address);
  return result < 0 ? 0n : rseqConfiguration.view.getBigUint64(0, true);
}

/**
 * The program of a seccomp filter, 8 bytes an instruction; index 0 is the newest filter. -ENOENT: no such filter; -EACCES: not allowed
 * (needs CAP_SYS_ADMIN and an unfiltered tracer); -EIO: a kernel without CONFIG_CHECKPOINT_RESTORE. (kernel/seccomp.c seccomp_get_filter)
 */
export function seccompFilter(tid: number, index: number): Buffer | number {
  const instructions = request(PTRACE_SECCOMP_GET_FILTER, tid, index, 0);
  if (instructions < 0) return instructions;
  const program = mapMemory(instructions * 8);
  const copied = request(PTRACE_SECCOMP_GET_FILTER, tid, index, program.address);
  return copied < 0 ? copied : program.bytes;
}

function request(kind: number, tid: number, address: number | bigint, data: number | bigint): number {
  return syscall(arch.syscalls.ptrace, kind, tid, address, data);
}
