// What one restart is made of; the main flow hands it down.
import type { Journal } from '../journal/journal.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type { StagedFiles } from './files/staged.ts';
import type { HeldListeners } from './handover/held-listeners.ts';
import type { Hold } from './hold.ts';
import type { Host } from './host.ts';
import type { MemoryFile } from './memory-file.ts';
import type { Observed } from './observe.ts';
import type { RestartPlan } from './plan.ts';
import type { Program } from './program.ts';
import type { RestartReport } from './report.ts';
import type { Holder } from './swap.ts';

export interface Work {
  readonly request: RestartRequest;
  readonly host: Host;
  readonly observed: Observed;
  readonly plan: RestartPlan;
  readonly program: Program;
  /** The file of a program that is started from memory. */
  readonly file: MemoryFile | null;
  /** Files that are brought along; null: none, or they are in place already. */
  readonly files: StagedFiles | null;
  /** Of a previous program whose file has no name any more. */
  readonly previousFile: MemoryFile | null;
  /** It has been told to finish, by an engine that was killed since. */
  readonly asked?: boolean;
  /** What is handed over to the new program. */
  readonly listeners: HeldListeners;
  readonly journal: Journal;
  readonly report: RestartReport;
  /** It goes on after the swap and after a failed one, although it is stopped now: that was an engine that has been killed. */
  readonly stoppedByUs?: boolean;
}

/** A swap that has come through: the new program runs. */
export interface Started {
  readonly held: Hold;
  /** Keeps the old memory, until it is reaped. */
  readonly holder: Holder | null;
}
