// Who starts or stops the cluster is alone in it. flock(1) holds the lock for as long as its standard input is open: the
// kernel closes that whenever this process ends, however it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function lock(file: string): Promise<AsyncDisposable> {
  await mkdir(dirname(file), { recursive: true });
  const child = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C is for us: what follows still has to be put in order.
    detached: true,
  });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'error').then(([cause]) => Promise.reject(cause as Error)),
  ]);
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'close');
      child.stdin.end();
      await ended;
    },
  };
}
