// Signals that a thread waits for in sigwait (rt_sigtimedwait): while it waits the kernel counts them as not blocked (kernel/signal.c,
// do_sigtimedwait), and /proc/PID/status says so. An init such as tini or dumb-init would look like a program without any handler.
import { arch } from '../arch/arch.ts';
import { currentCall } from '../procfs/current-call.ts';
import { readText } from '../procfs/read.ts';
import { readMemory } from '../tracer/memory.ts';
import { everySignal } from '../tracer/signals.ts';

/** Bit n-1: signal n. 0n where it does not wait so, or where the kernel does not tell. */
export function waitedSignals(pid: number, tid: number): bigint {
  if (isInSigwait(pid, tid)) return everySignal;
  const call = currentCall(pid, tid);
  const set = call?.number === arch.syscalls.rt_sigtimedwait ? call.args[0] : undefined;
  if (set === undefined) return 0n;
  const bytes = readMemory(tid, set, 8);
  return typeof bytes === 'number' ? 0n : bytes.readBigUInt64LE();
}

/** Another user's `syscall` file is closed to root without CAP_DAC_OVERRIDE; `wchan` is not, and says no more than this. */
function isInSigwait(pid: number, tid: number): boolean {
  if (readText(`/proc/${pid}/task/${tid}/syscall`).kind !== 'denied') return false;
  const place = readText(`/proc/${pid}/task/${tid}/wchan`);
  return place.kind === 'read' && place.content.includes('sigtimedwait');
}
