// What one restart is made of; the main flow hands it down.
import type { Journal } from '../journal/journal.ts';
import type { RestartRequest } from '../protocol/request.ts';
import type { Host } from './host.ts';
import type { MemoryFile } from './memory-file.ts';
import type { Observed } from './observe.ts';
import type { RestartPlan } from './plan.ts';
import type { Program } from './program.ts';
import type { RestartReport } from './report.ts';

export interface Work {
  readonly request: RestartRequest;
  readonly host: Host;
  readonly observed: Observed;
  readonly plan: RestartPlan;
  readonly program: Program;
  /** The file of a program that is started from memory. */
  readonly file: MemoryFile | null;
  readonly journal: Journal;
  readonly report: RestartReport;
  /** It goes on after the swap and after a failed one, although it is stopped now: that was an engine that has been killed. */
  readonly stoppedByUs?: boolean;
}
