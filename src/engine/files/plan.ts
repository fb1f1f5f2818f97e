// Which files a restart brings into the container, or every reason why it may not: all is read and checked, nothing is touched.
import type { ErrorData } from '../../errors.ts';
import { HotexecError } from '../../errors.ts';
import type { ProgramChange } from '../../protocol/request.ts';
import { Mounts } from '../../rootfs/mounts.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import type { Observed } from '../observe.ts';
import { Collection } from './collection.ts';
import { planCopy, type CopyPlace } from './copies.ts';
import { ownRights } from './destination.ts';
import { planExecutable } from './executable.ts';
import { noFiles, type FilePlan } from './planned.ts';

/** `destinationOfExecutable`: the path that will be executed, which `--with` replaces. */
export function planFiles(
  root: ProcessRoot,
  { observed, change }: { readonly observed: Observed; readonly change: ProgramChange },
  destinationOfExecutable: string | null,
): FilePlan {
  if (change.replacement === null && change.files.length === 0) return noFiles;
  const refusals: ErrorData[] = [];
  const warnings = new Set<string>();
  const collection = new Collection();
  const mounts = new Mounts(root, observed.tid);
  const rights = ownRights();
  const place = (allowVolume: boolean): CopyPlace => ({
    observed,
    collection,
    destination: { root, mounts, rights, allowVolume, warnings },
  });
  let memory = false;
  const { replacement } = change;
  if (replacement !== null) {
    attempt(refusals, () => {
      const planned = planExecutable(replacement, destinationOfExecutable, place(false));
      ({ memory } = planned);
      for (const warning of planned.warnings) warnings.add(warning);
    });
  }
  for (const copy of change.files) attempt(refusals, () => planCopy(copy, place(copy.allowVolume)));
  attempt(refusals, () => collection.expectRoom(root));
  return { files: collection.files, directories: collection.directories, refusals, warnings: [...warnings], memory };
}

function attempt(refusals: ErrorData[], step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof HotexecError)) throw error;
    refusals.push(error.toData());
  }
}
