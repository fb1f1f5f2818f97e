// The first process of a container as /proc has it.
import { readBytes, readLink, readText } from '../../procfs/read.ts';
import { identify } from '../identity.ts';

interface FirstProcess {
  readonly program: readonly string[];
  readonly startedAt: string;
}

// USER_HZ, in which the kernel tells times everywhere but on Alpha and ia64.
const ticksPerSecond = 100;

/** Null: no such process is here, or it is not the container's. */
export function firstProcess(
  { pid, id }: { readonly pid: number; readonly id: string },
  proc: string,
): FirstProcess | null {
  const identity = identify(pid, proc, id);
  if (identity?.container?.id !== id) return null;
  const started = bootTime(proc) + Math.floor(identity.startTicks / ticksPerSecond);
  return { program: programOf(pid, proc), startedAt: new Date(started * 1000).toISOString() };
}

function programOf(pid: number, proc: string): readonly string[] {
  const cmdline = readBytes(`${proc}/${pid}/cmdline`);
  const words = cmdline.kind === 'read' ? cmdline.content.toString('utf8').replace(/\0+$/, '').split('\0') : [];
  if (words.some((word) => word !== '')) return words;
  const exe = readLink(`${proc}/${pid}/exe`);
  return exe.kind === 'read' ? [exe.content] : [];
}

/** In seconds since 1970. */
function bootTime(proc: string): number {
  const stat = readText(`${proc}/stat`);
  const [, seconds = '0'] = (stat.kind === 'read' ? /^btime (\d+)$/m.exec(stat.content) : null) ?? [];
  return Number(seconds);
}
