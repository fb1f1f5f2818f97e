// What execve lets through and a fresh start would not have, set right before the new program's first instruction (docs/how-it-works.md
// has the table). Read first, change only what differs; what cannot be changed is reported, and nothing here is a reason to fail.
import { readFileSync } from 'node:fs';
import { parseStatus } from '../../procfs/status.ts';
import type { NotFresh } from '../../protocol/result.ts';
import type { Hold } from '../hold.ts';
import type { Observed } from '../observe.ts';
import { resetCapabilities } from './capabilities.ts';
import { report, type Reset } from './context.ts';
import { resetFiles } from './files.ts';
import { resetFromOutside } from './outside.ts';
import { resetProcessFlags, resetTimers } from './process-flags.ts';
import { resetSignals } from './signals.ts';

/** Below the new stack pointer nothing has been written yet: room for the structures of the calls. */
const roomBelowStack = 32n * 1024n;

/** Registers must be borrowed; the new program has not run yet. */
export function resetAttributes(
  held: Hold,
  observed: Observed,
  { cwd, ourSignal }: Pick<Reset, 'cwd' | 'ourSignal'>,
): readonly NotFresh[] {
  const room = (held.stackPointer - roomBelowStack) & ~0xfffn;
  const reset: Reset = {
    held,
    observed,
    status: parseStatus(readFileSync(`/proc/${held.pid}/status`, 'utf8')),
    room,
    inContainer: observed.target.container !== null,
    notFresh: [],
    cwd,
    ourSignal,
  };
  if (held.thread.write(room, Buffer.alloc(256)) < 0) {
    report(reset, 'signals', 'there is no room below the new stack: nothing that execve lets through was reset');
    return reset.notFresh;
  }
  resetSignals(reset);
  resetTimers(reset);
  resetProcessFlags(reset);
  resetFiles(reset);
  resetCapabilities(reset);
  if (reset.inContainer) resetFromOutside(reset);
  return reset.notFresh;
}
