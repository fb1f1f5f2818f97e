// What is asked of an engine: the process restarted as it is.
import { readFileSync } from 'node:fs';
import { parseStat } from '../src/procfs/stat.ts';
import { defaultRestartOptions, sameProgram, type RestartRequest } from '../src/protocol/request.ts';

export function requestFor(pid: number): RestartRequest {
  const { startTicks } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return {
    kind: 'restart',
    operationId: 'bench',
    target: { name: `pid/${pid}`, pid, startTicks, container: null, spec: null },
    program: sameProgram,
    options: { ...defaultRestartOptions, probationMs: 0 },
  };
}
