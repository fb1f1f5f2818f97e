// A program as process 1 of pid, mount and IPC namespaces of its own: whatever it leaves behind ends with it.
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { until } from '../until.ts';
import { launch, type Target } from './target.ts';

/** Its own /tmp too, unless this checkout is in there. The pid is that of the program, not of `unshare`. */
export async function launchInSandbox(file: string, args: readonly string[] = []): Promise<Target> {
  const flags = ['--fork', '--pid', '--mount-proc', '--ipc', '--mount'];
  const ownTmp = import.meta.dirname.startsWith('/tmp/') ? 'true' : 'mount -t tmpfs none /tmp';
  const script = `${ownTmp} && cd / && exec "$0" "$@"`;
  const target = launch('unshare', [...flags, 'sh', '-c', script, file, ...args]);
  const pid = await until('the program runs', () => childOf(target.pid));
  // Before `unshare` is killed: it is this one's end that ends all.
  onTestFinished(() => {
    if (target.child.exitCode === null && target.child.signalCode === null) process.kill(pid, 'SIGKILL');
  });
  return { ...target, pid };
}

function childOf(pid: number): number | undefined {
  const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ');
  return first === '' ? undefined : Number(first);
}
