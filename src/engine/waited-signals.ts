// Signals that a thread waits for in sigwait (rt_sigtimedwait): while it waits the kernel counts them as not blocked (kernel/signal.c,
// do_sigtimedwait), and /proc/PID/status says so. An init such as tini or dumb-init would look like a program without any handler.
import { arch } from '../arch/arch.ts';
import { readText } from '../procfs/read.ts';
import { readMemory } from '../tracer/memory.ts';

/** Bit n-1: signal n. 0n where it does not wait so, or where the kernel does not tell. */
export function waitedSignals(pid: number, tid: number): bigint {
  const reading = readText(`/proc/${pid}/task/${tid}/syscall`);
  // `128 0x7ffc5a2e1b50 0x0 …`; `running`
  const [number, set] = reading.kind === 'read' ? reading.content.split(' ') : [];
  if (set === undefined || Number(number) !== arch.syscalls.rt_sigtimedwait) return 0n;
  const bytes = readMemory(tid, BigInt(set), 8);
  return typeof bytes === 'number' ? 0n : bytes.readBigUInt64LE();
}
