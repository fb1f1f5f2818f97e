// What runs in a process right now, as far as this user may read it. For results that no engine could write.
import type { ProgramSummary } from '../protocol/result.ts';
import { readBytes, readLink } from '../procfs/read.ts';

export const unknownProgram: ProgramSummary = { exe: '', argv: [], cwd: '' };

export function summarizeProcess(pid: number): ProgramSummary | null {
  const cmdline = readBytes(`/proc/${pid}/cmdline`);
  if (cmdline.kind !== 'read') return null;
  return {
    exe: linkOrEmpty(`/proc/${pid}/exe`),
    argv: cmdline.content.toString('utf8').replace(/\0$/, '').split('\0'),
    cwd: linkOrEmpty(`/proc/${pid}/cwd`),
  };
}

function linkOrEmpty(path: string): string {
  const link = readLink(path);
  return link.kind === 'read' ? link.content : '';
}
