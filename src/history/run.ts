// Which life of which program a process is in, and whether what a record needs is still in its container.
import { readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';
import { ProcessRoot } from '../rootfs/open.ts';
import type { Run } from './entry.ts';
import { bootId } from './key.ts';
import type { IsThere } from './resolve.ts';

/** Null: it has ended. Of a process that this user may not look into, the stack shows as 0x0. */
export function readRun(pid: number, proc = '/proc'): Run | null {
  const stat = readText(`${proc}/${pid}/stat`);
  if (stat.kind !== 'read') return null;
  const { startTicks, startStack } = parseStat(stat.content);
  return { pid, startTicks, bootId: bootId(proc), startStack: `0x${startStack.toString(16)}` };
}

/** Looks inside the container of a thread. */
export function keptFilesOf(tid: number): IsThere {
  return (keptAs) => {
    using root = new ProcessRoot(tid);
    const stat = root.stat(keptAs);
    return typeof stat !== 'number' && stat.isFile();
  };
}
