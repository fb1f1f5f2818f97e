// A small /proc in a directory, with processes as containers have them: real files for code that reads real files.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FakeProcess {
  readonly pid: number;
  readonly comm: string;
  readonly ppid: number;
  readonly startTicks?: number;
  readonly cgroup?: string;
  /** Its pids, from the reader's namespace inwards. */
  readonly nsPid?: readonly number[];
  readonly cwd?: string;
  readonly exe?: string;
  readonly mountinfo?: string;
}

export function writeProc(root: string, processes: readonly FakeProcess[]): string {
  mkdirSync(join(root, 'self'), { recursive: true });
  for (const process of processes) writeProcess(join(root, String(process.pid)), process);
  return root;
}

function writeProcess(directory: string, process: FakeProcess): void {
  const { pid, comm, ppid, startTicks = 1000 + pid, cgroup = '0::/', nsPid = [pid], cwd, exe, mountinfo } = process;
  mkdirSync(directory, { recursive: true });
  const fields = ['S', ppid, pid, pid, 0, -1, 0x40_0000, ...zeros(8), 20, 0, 1, 0, startTicks, ...zeros(30)];
  writeFileSync(join(directory, 'stat'), `${pid} (${comm}) ${fields.join(' ')}\n`);
  writeFileSync(
    join(directory, 'status'),
    `Name:\t${comm}\nState:\tS (sleeping)\nPid:\t${pid}\nNSpid:\t${nsPid.join('\t')}\n`,
  );
  writeFileSync(join(directory, 'cgroup'), `${cgroup}\n`);
  if (cwd !== undefined) symlinkSync(cwd, join(directory, 'cwd'));
  if (exe !== undefined) symlinkSync(exe, join(directory, 'exe'));
  if (mountinfo !== undefined) writeFileSync(join(directory, 'mountinfo'), mountinfo);
}

function zeros(count: number): readonly number[] {
  return Array.from({ length: count }, () => 0);
}
