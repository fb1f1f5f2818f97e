// Signal numbers and masks (signal(7); the numbers are those of x86-64 and arm64).
import { constants } from 'node:os';
import { arch } from '../arch/arch.ts';
import { EPERM } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';
import * as ptrace from './ptrace/requests.ts';

export const SIGKILL = 9;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;

/** Every signal; the kernel never blocks SIGKILL and SIGSTOP. */
export const everySignal = 0xffff_ffff_ffff_ffffn;

export function signalBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

const stopSignals: ReadonlySet<number> = new Set([SIGSTOP, 20, 21, 22]);

/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU: what a group-stop is reported with. */
export function isStopSignal(signal: number): boolean {
  return stopSignals.has(signal);
}

/** What a thread's mask reads as after it was set to everySignal. */
export const blockable: bigint = everySignal & ~signalBit(SIGKILL) & ~signalBit(SIGSTOP);

/** Sends a signal to one thread: 0 or -errno. */
export function sendToThread(pid: number, tid: number, signal: number): number {
  return syscall(arch.syscalls.tgkill, pid, tid, signal);
}

/**
 * Ends a tracee. As its tracer also where no signal may be sent to it: PTRACE_KILL asks for no other right (ptrace(2); at any moment since
 * Linux 5.19, before that at a stop).
 */
export function killTracee(pid: number): void {
  if (sendToThread(pid, pid, SIGKILL) === -EPERM) ptrace.kill(pid);
}

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => name !== 'SIGIOT' && name !== 'SIGPOLL')
    .map(([name, number]) => [number, name]),
);

const SIGRTMIN = 34;

/** `SIGTERM`, or `SIGRTMIN+3` as kill -l prints it; 32 and 33 are the C library's own (signal(7)) and have no name. */
export function signalName(signal: number): string {
  if (signal === SIGRTMIN) return 'SIGRTMIN';
  return names.get(signal) ?? (signal < SIGRTMIN ? `signal ${signal}` : `SIGRTMIN+${signal - SIGRTMIN}`);
}
