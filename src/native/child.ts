// A child process of an engine: started, and waited for, without an event loop.
import { constants } from 'node:os';
import { arch } from '../arch/arch.ts';
import { syscall } from './syscall.ts';

const WNOHANG = 1;

export interface ChildCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors that become its standard input and output. What it writes to standard error is not read. */
  readonly stdin: number;
  readonly stdout: number;
}

/** Its pid; undefined: it could not be started. It leads a session of its own: no Ctrl-C of a terminal reaches it. */
export function startChild({ path, args, env, stdin, stdout }: ChildCommand): number | undefined {
  // Not imported: loading it takes longer than an engine has that starts no child.
  const { spawn } = process.getBuiltinModule('node:child_process');
  return spawn(path, [...args], { cwd: '/', env: { ...env }, detached: true, stdio: [stdin, stdout, 'ignore'] }).pid;
}

/** True once it has ended and is no more. */
export function reapChild(pid: number): boolean {
  return syscall(arch.syscalls.wait4, pid, 0, WNOHANG, 0) !== 0;
}

export function killChild(pid: number): void {
  syscall(arch.syscalls.kill, pid, constants.signals.SIGKILL);
}
