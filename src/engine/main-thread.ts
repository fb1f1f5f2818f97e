// A signal for a whole process, given to the thread that would have it were the process not traced.
import { readFileSync } from 'node:fs';
import { parseStatus } from '../procfs/status.ts';
import { sendToThread, signalBit } from '../tracer/signals.ts';
import { threadState } from '../tracer/thread-states.ts';
import type { ProcessStop } from '../tracer/traced-process.ts';

const SI_USER = 0;
/** Those from here on queue, and their order says something. */
const SIGRTMIN = 32;

/**
 * True: the main thread is sent it, and this one is not to have it. The kernel gives what kill(2) sends to the main thread, unless that blocks
 * it; but it passes over one that stands at a trace stop (kernel/signal.c wants_signal). A program may hear it in its main thread alone:
 * CPython runs its handlers only there, and does not wake up for a signal that another thread has taken.
 */
export function sentToMainThread({ pid, tid, signal, info }: Extract<ProcessStop, { kind: 'signal' }>): boolean {
  if (tid === pid || info.code !== SI_USER || signal >= SIGRTMIN) return false;
  if ('ZX'.includes(threadState(pid, pid))) return false;
  const { sigBlk = 0n } = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (sigBlk & signalBit(signal)) === 0n && sendToThread(pid, pid, signal) === 0;
}
