// An engine that is not thrown away after one restart: each line of standard input is a pid, the answer is a line with the hold in
// microseconds, and the process that has compiled its hot paths does the next one too. What of a restart is Node itself, without its start?
import { readlinkSync, readSync, writeSync } from 'node:fs';
import type { Host } from '../src/engine/host.ts';
import { openJournal } from '../src/journal/journal.ts';
import { inputReady } from '../src/native/poll.ts';
import { parseNamespaceLink } from '../src/procfs/ns.ts';
import { runtimeDirectory } from '../src/protocol/runtime-directory.ts';
import { stateDirectory } from '../src/protocol/state-directory.ts';
import { restart } from '../src/restart.ts';
import { sleepExactly } from '../src/tracer/ptrace/wait.ts';
import { requestFor } from './request.ts';

const stdin = 0;
const stdout = 1;
const uid = process.getuid?.() ?? 0;

const host: Host = {
  ourselves: {
    pids: new Set([process.pid, process.ppid]),
    pidNamespace: parseNamespaceLink(readlinkSync('/proc/self/ns/pid')).inode,
    directory: import.meta.dirname,
  },
  journals: { directory: runtimeDirectory(process.env, uid), uid, enginePid: process.pid },
  history: { directory: stateDirectory(process.env, uid), uid, by: null, enginePid: process.pid },
  observer: null,
  emit: () => {},
  phase: () => {},
  // Nothing is sent while a restart is under way, but looking is a part of it.
  acknowledge: () => {},
  standAlone: () => {},
  moment: () => {},
  wantsTimeline: false,
  path: undefined,
  mend: () => ({ found: 'nothing', detail: '' }),
  hookEnd: () => null,
  interruption: () => (inputReady(stdin) ? 'cancelled' : null),
};

sleepExactly();
for (const line of linesOfInput()) writeSync(stdout, `${(holdMs(Number(line)) * 1000).toFixed(1)}\n`);

function holdMs(pid: number): number {
  const request = requestFor(pid);
  const { journal } = openJournal({ ...host.journals, pid, startTicks: request.target.startTicks });
  using _journal = journal;
  const result = restart(request, host, journal);
  if (result.outcome !== 'restarted') throw new Error(`${result.outcome}: ${result.error?.message ?? ''}`);
  return result.timingsMs['hold'] ?? Number.NaN;
}

function* linesOfInput(): Generator<string> {
  const chunk = Buffer.alloc(64);
  for (let length = readSync(stdin, chunk); length > 0; length = readSync(stdin, chunk)) {
    yield chunk.subarray(0, length).toString();
  }
}
