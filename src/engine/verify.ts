// The last look from outside: the process runs, untraced, and is the one it was.
import { readFileSync } from 'node:fs';
import { parseStat } from '../procfs/stat.ts';
import { parseStatus } from '../procfs/status.ts';
import type { Observed } from './observe.ts';

/** What is not as it should be; a program that has ended by itself meanwhile is its own affair and is said. */
export function verify(observed: Observed): readonly string[] {
  const { pid, startTicks } = observed.target;
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const status = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const warnings: string[] = [];
    if (stat.startTicks !== startTicks || stat.state === 'Z')
      warnings.push('the new program has already ended by itself');
    if ((status.tracerPid ?? 0) !== 0) warnings.push(`the process is now traced by process ${status.tracerPid}`);
    if (stat.state === 'T') warnings.push('the process is stopped: somebody sent it a stop signal meanwhile');
    return warnings;
  } catch {
    return ['the new program has already ended by itself'];
  }
}
