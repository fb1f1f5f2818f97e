// What is asked of an engine: the process restarted as it is. A gdb can neither drain nor hand over.
import { readFileSync } from 'node:fs';
import { parseStat } from '../src/procfs/stat.ts';
import { defaultRestartOptions, sameProgram, type Driver, type RestartRequest } from '../src/protocol/request.ts';

export function requestFor(pid: number, driver: Driver = 'ptrace'): RestartRequest {
  const byGdb = driver === 'gdb' ? { driver, drain: false, handover: false } : {};
  const { startTicks } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return {
    kind: 'restart',
    operationId: 'bench',
    target: { name: `pid/${pid}`, pid, startTicks, container: null, spec: null },
    program: sameProgram,
    options: { ...defaultRestartOptions, probationMs: 0, ...byGdb },
  };
}
