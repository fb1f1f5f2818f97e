// A machine of files: a directory that stands for /, filled with captured text, looked at by the doctor's real reading.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { machineAt, type Machine, type MachineOptions } from '../../../src/doctor/machine.ts';

/** Path → text; a link is given as `-> where`. */
export type Files = Readonly<Record<string, string | Buffer>>;

export const containerId = '3f4b2c1d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809';

/** Text read on Linux 6.18. */
export function captured(name: string): string {
  return readFileSync(join(import.meta.dirname, 'captured', name), 'utf8');
}

const kernelFiles: Files = {
  '/proc/sys/kernel/osrelease': '6.18.44\n',
  '/proc/sys/kernel/ns_last_pid': '5697\n',
  '/proc/thread-self/children': '',
  '/proc/sys/user/max_user_namespaces': '96365\n',
  '/proc/self/ns/user': '-> user:[4026531837]',
  '/proc/self/ns/pid': '-> pid:[4026531836]',
};

/** Root on a machine that has all a restart needs. */
export const rootFiles: Files = {
  ...kernelFiles,
  '/proc/self/status': captured('root.status'),
  '/proc/self/uid_map': captured('root.uid_map'),
  '/run/.keep': '',
};

/** uid 65534 on the same machine. */
export const userFiles: Files = { ...rootFiles, '/proc/self/status': captured('user.status'), '/tmp/.keep': '' };

export const sleepPid = 3729;
export const sleepStartTicks = 295_538;

/** `sleep 300` of root, in a Docker container. */
export const sleepFiles: Files = {
  [`/proc/${sleepPid}/status`]: captured('sleep.status'),
  [`/proc/${sleepPid}/stat`]: captured('sleep.stat'),
  [`/proc/${sleepPid}/cgroup`]: captured('sleep.cgroup'),
  [`/proc/${sleepPid}/exe`]: Buffer.from('7f454c4602010100000000000000000003003e00', 'hex'),
  [`/proc/${sleepPid}/mem`]: '',
  [`/proc/${sleepPid}/ns/user`]: '-> user:[4026531837]',
  [`/sys/fs/cgroup/freezer/docker/${containerId}/freezer.state`]: 'THAWED\n',
};

export function machineOf(files: Files, options: Partial<MachineOptions> = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), 'hotexec-doctor-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) write(join(root, path), content);
  return machineAt({ env: {}, architecture: 'x86_64', root, selfTest: null, ...options });
}

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), path);
  else writeFileSync(path, content);
}
