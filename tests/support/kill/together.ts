// All processes of a container killed at one instant, as its runtime or a lack of memory does it; and the instant chosen.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';

/** Those in the control group of that process. The youngest first: an agent that lived on without its engine would start another. */
export function killTogether(member: number): void {
  const group = groupOf(member);
  if (group === '') throw new Error(`process ${member} has ended already`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && groupOf(Number(name)) === group);
  for (const pid of pids.map(Number).toSorted((a, b) => b - a)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
}

function groupOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/** The process is held, and the engine that does it stands still: nothing goes on until that is killed. */
export async function heldOnce(pid: number): Promise<void> {
  const watcher = spawn(process.execPath, ['-e', watching, String(pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(watcher.stdout, 'data');
}

// In a process of its own: a hold takes some ten milliseconds, and nothing else may come in between. In a hold the program has memory that it did not ask for.
const watching = `
  const { readFileSync } = require('fs');
  const read = (name) => readFileSync('/proc/' + process.argv[1] + '/' + name, 'latin1');
  const before = read('maps').split('\\n').length;
  while (read('maps').split('\\n').length <= before);
  process.kill(Number(/^TracerPid:\\t(\\d+)$/m.exec(read('status'))[1]), 'SIGSTOP');
  console.log('held');`;
