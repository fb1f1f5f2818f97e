// /proc/PID/task/TID/syscall: the system call a thread waits in (proc(5)).
import { readText } from './read.ts';

export interface CurrentCall {
  readonly number: number;
  readonly args: readonly bigint[];
}

/** Null: it runs, it is outside of any call, it has ended, or the kernel does not tell. */
export function currentCall(pid: number, tid: number): CurrentCall | null {
  const reading = readText(`/proc/${pid}/task/${tid}/syscall`);
  // `128 0x7ffc5a2e1b50 0x0 …`, the last two being stack and instruction pointer; `running`; `-1 0x7ffc5a2e1b50 0x7f1c2b6d3a5e`
  const [number = '', ...words] = reading.kind === 'read' ? reading.content.trim().split(' ') : [];
  return /^\d+$/.test(number) ? { number: Number(number), args: words.slice(0, 6).map(BigInt) } : null;
}
