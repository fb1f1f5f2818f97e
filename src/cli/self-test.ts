// Whether hotexec may do its work here is best found by doing it: a small program of our own is restarted in place.
import { spawn } from 'node:child_process';
import type { SelfTest } from '../doctor/machine.ts';
import { HotexecError } from '../errors.ts';
import { restart } from '../index.ts';

const idle = 'setInterval(() => {}, 2 ** 30)';

export async function selfTest(execPath: string): Promise<SelfTest> {
  const child = spawn(execPath, ['-e', idle], { stdio: 'ignore' });
  try {
    await restart(`pid/${child.pid ?? 0}`);
    return { ptrace: null, processVmWritev: null };
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    return error.code === 'remote-call-failed'
      ? { ptrace: null, processVmWritev: error.message }
      : { ptrace: error.message, processVmWritev: null };
  } finally {
    child.kill('SIGKILL');
  }
}
