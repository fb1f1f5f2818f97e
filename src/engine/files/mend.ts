// Files that a killed engine has left: the journal alone tells what they are. They are put back if the old program runs on or runs again,
// and stay if the new one does.
import type { Change, FileChange } from '../../journal/change.ts';
import type { JournalledChange } from '../../journal/state.ts';
import { Directories } from '../../rootfs/directory.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOf } from './planned.ts';
import { settleFile, undoFile } from './undo.ts';

/**
 * Strikes the line of each change that is done with. Returns sentences about those that are not, for warnings.
 * `changes`: of the journal, oldest first; others than those of files are passed over.
 */
export function mendFiles(
  changes: readonly JournalledChange[],
  { root, strike }: { readonly root: ProcessRoot; readonly strike: (id: number) => void },
  newProgramStays: boolean,
): readonly string[] {
  using directories = new Directories(root);
  const failed: string[] = [];
  for (const { id, change } of newProgramStays ? changes : changes.toReversed()) {
    if (!isFileChange(change)) continue;
    try {
      (newProgramStays ? settleFile : undoFile)(directories, change);
      strike(id);
    } catch (error) {
      failed.push(`${pathOf(change)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

export function isFileChange(change: Change): change is FileChange {
  return change.kind === 'temporary' || change.kind === 'file' || change.kind === 'directory';
}
