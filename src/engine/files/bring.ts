// Everything that has to be brought before anything is held: files beside their places, a program in memory, and the file of the running
// program where it has no name any more.
import type { FileChange } from '../../history/entry.ts';
import type { Journal } from '../../journal/journal.ts';
import type { RestartRequest } from '../../protocol/request.ts';
import type { ChangedFile } from '../../protocol/result.ts';
import { ProcessRoot } from '../../rootfs/open.ts';
import { describeFile, openProgramFile } from '../exec-call.ts';
import type { Host } from '../host.ts';
import type { MemoryFile } from '../memory-file.ts';
import type { Observed } from '../observe.ts';
import type { RestartPlan } from '../plan.ts';
import type { Program } from '../program.ts';
import type { Work } from '../work.ts';
import { Progress } from './progress.ts';
import type { SettledFile } from './staged.ts';
import { stageFiles } from './stage.ts';

export interface Brought extends Disposable {
  /** For the record of programs. */
  readonly changes: readonly FileChange[];
  readonly forWork: Pick<Work, 'file' | 'files' | 'previousFile'>;
  /** The new program stays: so does what was brought for it. Leaving the scope without this takes it away again. */
  settle(): readonly ChangedFile[];
  /** What throws here leaves a program that a mender has to see to: the files are then the mender's too, and the journal names them. */
  leaveIf(mayThrow: () => void): void;
}

export interface Bringing {
  readonly request: RestartRequest;
  readonly host: Host;
  readonly observed: Observed;
  readonly plan: RestartPlan;
  readonly program: Program;
  readonly journal: Journal;
}

/** Throws what stageFiles and openProgramFile throw; then nothing stays. */
export function bring({ request, host, observed, plan, program, journal }: Bringing): Brought {
  const { tid } = observed;
  if (plan.files.files.length > 0 || program.memory?.kind === 'local') host.phase('upload');
  using stack = new DisposableStack();
  const open = (file: MemoryFile | null): MemoryFile | null => stack.use(file);
  const file = open(openProgramFile(program, tid, progressOf(program, host)));
  const previousFile = open(plan.previous === null ? null : openProgramFile(plan.previous, tid));
  const root = stack.use(new ProcessRoot(tid));
  const files = stack.use(stageFiles(plan.files, { journal, host, root, operationId: request.operationId }));
  const inMemory = file !== null && program.memory?.kind === 'local' ? [describeFile(program, file)] : [];
  const changes = [
    ...files.describe().map(recordFile),
    ...inMemory.map(({ path, change, digest }) => ({ path, change, digest, before: null })),
  ];
  const all = stack.move();
  return {
    changes,
    forWork: { file, files, previousFile },
    settle: () => [...files.settle().map(({ changed }) => changed), ...inMemory],
    leaveIf: (mayThrow) => {
      try {
        mayThrow();
      } catch (error) {
        files.leave();
        throw error;
      }
    },
    [Symbol.dispose]: () => all.dispose(),
  };
}

function recordFile({ changed, kept }: SettledFile): FileChange {
  const { path, change, digest, keptAs } = changed;
  if (kept === null || keptAs === null) return { path, change, digest, before: null };
  const { mode, uid, gid, sizeBytes } = kept;
  const capability = kept.capability === null ? null : Buffer.from(kept.capability, 'hex').toString('base64');
  return { path, change, digest, before: { keptAs, mode, uid, gid, sizeBytes, capability } };
}

function progressOf(program: Program, host: Host): (doneBytes: number, totalBytes: number) => void {
  let progress: Progress | undefined;
  let toldBytes = 0;
  return (doneBytes, totalBytes) => {
    progress ??= new Progress(host, totalBytes);
    progress.step(program.path.toString(), doneBytes - toldBytes);
    toldBytes = doneBytes;
  };
}
