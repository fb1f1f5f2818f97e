// The files of an earlier version: those that it had and that are kept come back, those that it had not go. By the same upload, so that
// this can be gone back from as well.
import type { ErrorData } from '../../errors.ts';
import { HotexecError } from '../../errors.ts';
import { capabilityAttribute } from '../../rootfs/attributes.ts';
import { Mounts } from '../../rootfs/mounts.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOfPlace, resolvePlace } from '../../rootfs/place.ts';
import type { Observed } from '../observe.ts';
import { Collection } from './collection.ts';
import { oldFileAt } from './copies.ts';
import { checkPlace, ownRights, type Destination } from './destination.ts';
import { noFiles, type FilePlan, type OldFile } from './planned.ts';
import { refused } from './refuse.ts';
import { examineKept, type NoSource, type SourceFile } from './source.ts';

export interface RestoredFile {
  /** Inside the container. */
  readonly path: string;
  /** What it was before; ids as hotexec sees them. Null: nothing was there. */
  readonly before: (Pick<OldFile, 'mode' | 'uid' | 'gid' | 'capability'> & { readonly keptAs: string }) | null;
}

/** Volumes are allowed: what is put back there was written there with leave. */
export function planRestored(root: ProcessRoot, observed: Observed, files: readonly RestoredFile[]): FilePlan {
  if (files.length === 0) return noFiles;
  const warnings = new Set<string>();
  const destination = {
    root,
    mounts: new Mounts(root, observed.tid),
    rights: ownRights(),
    allowVolume: true,
    warnings,
  };
  const collection = new Collection();
  const refusals: ErrorData[] = [];
  for (const file of files) {
    try {
      addRestored(file, collection, destination);
    } catch (error) {
      if (!(error instanceof HotexecError)) throw error;
      refusals.push(error.toData());
    }
  }
  return {
    files: collection.files,
    directories: collection.directories,
    refusals,
    warnings: [...warnings],
    memory: false,
  };
}

function addRestored({ path, before }: RestoredFile, collection: Collection, destination: Destination): void {
  const { root, rights, mounts } = destination;
  // The path was recorded without links: one that is there by now is itself what has to go.
  const found = resolvePlace(root, path, { follow: false });
  if (found.kind === 'refused') throw refused(`${path} cannot be put back in the container: ${found.why}`, null);
  if (found.kind === 'directory') throw refused(`${path} is a directory in the container by now`, null);
  const { place } = found;
  if (before === null && place.entry === null) return;
  checkPlace(place, destination);
  const old = oldFileAt(root, place);
  const source: SourceFile | NoSource =
    before === null ? { kind: 'nothing', path: pathOfPlace(place) } : examineKept(root, before.keptAs);
  const owner = before ?? { uid: 0, gid: 0 };
  if (before !== null) rights.expect(path, before, before.capability !== null);
  collection.addFile(
    place,
    {
      source,
      mode: before?.mode ?? 0,
      owner: { uid: owner.uid, gid: owner.gid },
      attributes:
        before === null || before.capability === null
          ? []
          : [{ name: capabilityAttribute, value: Buffer.from(before.capability, 'hex') }],
      isExecutable: false,
      replaces: old,
    },
    old !== null && mounts.isOverlay(place.mountId) ? old.sizeBytes : 0,
  );
}
