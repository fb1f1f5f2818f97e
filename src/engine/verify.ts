// The last look from outside: the process runs, untraced, and is the one it was.
import { readFileSync, readlinkSync } from 'node:fs';
import { parseStat } from '../procfs/stat.ts';
import { parseStatus } from '../procfs/status.ts';
import type { Observed } from './observe.ts';

export interface Verified {
  /** What runs now, as /proc/PID/exe shows it; null when it has ended. */
  readonly exe: string | null;
  /** What is not as it should be. */
  readonly warnings: readonly string[];
}

const ended: Verified = { exe: null, warnings: ['the new program has already ended by itself'] };

export function verify(observed: Observed): Verified {
  const { pid, startTicks } = observed.target;
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat.startTicks !== startTicks || stat.state === 'Z') return ended;
    const tracer = parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8')).tracerPid ?? 0;
    const warnings = [
      ...(tracer === 0 ? [] : [`the process is now traced by process ${tracer}`]),
      ...(stat.state === 'T' ? ['the process is stopped: somebody sent it a stop signal meanwhile'] : []),
    ];
    return { exe: readlinkSync(`/proc/${pid}/exe`), warnings };
  } catch {
    return ended;
  }
}
