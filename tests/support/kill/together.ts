// All processes of a container killed at one instant, as its runtime or a lack of memory does it; and the instant chosen.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

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

export interface HoldWatch {
  /** The process is held, and the engine that does it stands still: nothing goes on until that is killed. */
  readonly held: Promise<unknown>;
}

/** From now on no hold of the process is missed. */
export async function watchForHold(pid: number): Promise<HoldWatch> {
  const watcher = spawn(process.execPath, ['-e', watching, String(pid)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void watcher.kill('SIGKILL'));
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return { held: lines.next() };
}

// In a process of its own: a hold takes some milliseconds, and nothing else may come in between. In a hold the program has memory that it did not ask for.
const watching = `
  const { readFileSync } = require('fs');
  const read = (name) => readFileSync('/proc/' + process.argv[1] + '/' + name, 'latin1');
  const before = read('maps').split('\\n').length;
  const tracer = () => Number(/^TracerPid:\\t(\\d+)$/m.exec(read('status'))[1]);
  console.log('watching');
  let pid = 0;
  while (read('maps').split('\\n').length <= before || (pid = tracer()) === 0);
  process.kill(pid, 'SIGSTOP');
  console.log('held');`;
