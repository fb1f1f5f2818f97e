// A stop must not be seen by the program: the registers it gets back are those it had, except where the kernel's own way of going on
// would show it that something happened.
import { arch } from '../arch/arch.ts';
import type { Registers } from '../arch/registers.ts';
import { EINTR } from '../native/errno.ts';
import { readMemory } from './memory.ts';
import { rseqAddress } from './ptrace/requests.ts';

const ERESTARTNOHAND = 514n;

/**
 * Calls like epoll_wait answer EINTR after any stop, handler or not (signal(7)). ERESTARTNOHAND instead lets the kernel decide at the
 * end of the stop: the call is made again, or answers EINTR if a handler does run. Everything between -512 and -516 is left to the
 * kernel for the same reason: winding the instruction pointer back by hand loses wake-ups (measured).
 */
export function cureInterruptedCall(registers: Registers): boolean {
  if (registers.result !== BigInt(-EINTR)) return false;
  if (!arch.interruptedByStop.has(Number(registers.originalNumber))) return false;
  registers.result = -ERESTARTNOHAND;
  return true;
}

/**
 * A thread that was stopped inside a restartable sequence must go on at its abort address: running anything else in it makes the kernel
 * forget the sequence (kernel/rseq.c). Only a thread outside of system calls can be inside one.
 */
export function cureRestartableSequence(tid: number, registers: Registers): boolean {
  if (registers.originalNumber !== -1n) return false;
  const area = rseqAddress(tid);
  if (area === 0n) return false;
  // struct rseq: cpu_id_start, cpu_id, then rseq_cs; struct rseq_cs: version, flags, start_ip, post_commit_offset, abort_ip
  const pointer = readMemory(tid, area + 8n, 8);
  if (typeof pointer === 'number' || pointer.readBigUInt64LE(0) === 0n) return false;
  const section = readMemory(tid, pointer.readBigUInt64LE(0), 32);
  if (typeof section === 'number') return false;
  const inside = registers.instructionPointer - section.readBigUInt64LE(8);
  if (inside < 0n || inside >= section.readBigUInt64LE(16)) return false;
  registers.instructionPointer = section.readBigUInt64LE(24);
  return true;
}
