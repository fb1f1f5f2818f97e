// The parent of a container's first process: a shim, whose working directory is a bundle.
import { readLink, readText } from '../procfs/read.ts';
import { parseStat } from '../procfs/stat.ts';

export interface Shim {
  readonly pid: number;
  readonly comm: string;
  /** Null: this user may not see it. */
  readonly cwd: string | null;
}

// comm is cut to 15 characters: `containerd-shim-runc-v2` shows as `containerd-shim`.
const shimComm = /^(?:containerd-shim|conmon)/;

export function shimOf(ppid: number, proc: string): Shim | null {
  const stat = readText(`${proc}/${ppid}/stat`);
  if (stat.kind !== 'read') return null;
  const { comm } = parseStat(stat.content);
  if (!shimComm.test(comm)) return null;
  const cwd = readLink(`${proc}/${ppid}/cwd`);
  return { pid: ppid, comm, cwd: cwd.kind === 'read' ? cwd.content : null };
}
