// `--with FILE`: the new executable. It keeps of the old one what makes it the same program to others: owner, mode, file capabilities
// and the extended attributes that belong to a file rather than to its content.
import { describeErrno } from '../../native/errno.ts';
import type { Replacement } from '../../protocol/request.ts';
import { capabilityAttribute, readAttributes, type Attribute } from '../../rootfs/attributes.ts';
import { resolvePlace, type Place } from '../../rootfs/place.ts';
import { headerSizeBytes, whyContentNotStartable } from '../startable.ts';
import { describeOld } from './collection.ts';
import { expectAbsolute, programOwner, type CopyPlace } from './copies.ts';
import { checkPlace, TakesNoFile, type Destination } from './destination.ts';
import { withOldFile } from './old-file.ts';
import { misused, refused } from './refuse.ts';
import { examineSource, readBeginning, type SourceFile } from './source.ts';

const newMode = 0o755;

export interface ExecutablePlan {
  readonly memory: boolean;
  readonly warnings: readonly string[];
}

/** `wanted`: the path that is executed, inside the container; null: what runs has none. Throws usage or file-refused. */
export function planExecutable(replacement: Replacement, wanted: string | null, at: CopyPlace): ExecutablePlan {
  const source = examineExecutable(replacement.source, at);
  if (replacement.inMemory === 'always') return { memory: true, warnings: [] };
  try {
    if (wanted === null) throw withoutPath();
    expectAbsolute(wanted);
    return { memory: false, warnings: placeExecutable(source, wanted, at) };
  } catch (error) {
    if (!(error instanceof TakesNoFile) || replacement.inMemory === 'never') throw error;
    const [why = ''] = error.message.split('. Nothing was touched');
    return { memory: true, warnings: [`the new program is kept in memory alone: ${why}`] };
  }
}

function withoutPath(): TakesNoFile {
  const why = 'what runs now is in memory alone too, so there is no file whose place the new one could take';
  return new TakesNoFile(why, 'name the place inside the container with --exe');
}

function examineExecutable(path: string, { destination, observed }: CopyPlace): SourceFile {
  const source = examineSource(path);
  if (source.kind === 'directory') throw misused(`${path} is a directory`, '--with takes the file of a program');
  const why = whyContentNotStartable(
    destination.root,
    { role: path, start: readBeginning(source, destination.root, headerSizeBytes), sizeBytes: source.sizeBytes },
    { cwd: observed.program.cwd },
  );
  if (why === undefined) return source;
  throw refused(why, 'an interpreter or loader is looked for inside the container');
}

/** Returns warnings. */
function placeExecutable(source: SourceFile, wanted: string, at: CopyPlace): readonly string[] {
  const { observed, collection, destination } = at;
  const found = resolvePlace(destination.root, wanted, { follow: true });
  if (found.kind === 'refused') throw refused(`${wanted} cannot be written in the container: ${found.why}`, null);
  if (found.kind === 'directory')
    throw refused(`${found.path} is a directory in the container`, 'name a file with --exe');
  const { place } = found;
  checkPlace(place, destination);
  const old = place.entry === null ? null : examineOld(place, place.entry.stat, destination);
  const owner = old?.file ?? programOwner(observed);
  destination.rights.expect(wanted, owner, old !== null && old.file.capability !== null);
  collection.addFile(
    place,
    {
      source,
      mode: old?.file.mode ?? newMode,
      owner: { uid: owner.uid, gid: owner.gid },
      attributes: old?.attributes ?? [],
      isExecutable: true,
      replaces: old?.file ?? null,
    },
    old !== null && destination.mounts.isOverlay(place.mountId) ? old.file.sizeBytes : 0,
  );
  return (old?.lost ?? []).map(
    (name) => `the new ${wanted} does not get the extended attribute ${name} of the old one`,
  );
}

interface OldExecutable {
  readonly file: ReturnType<typeof describeOld>;
  readonly attributes: readonly Attribute[];
  /** Names of those that belong to the old content. */
  readonly lost: readonly string[];
}

function examineOld(place: Place, stat: NonNullable<Place['entry']>['stat'], { root }: Destination): OldExecutable {
  const all = withOldFile(root, place, readAttributes);
  if (typeof all === 'number')
    throw refused(
      `the extended attributes of ${place.name} cannot be read: ${describeErrno(all)}`,
      'run hotexec as root',
    );
  const seen = all.filter(({ name }) => !/^(?:trusted|user)\.overlay\./.test(name));
  const capability = seen.find(({ name }) => name === capabilityAttribute);
  return {
    file: describeOld(stat, capability?.value.toString('hex') ?? null),
    attributes: seen.filter(isKept),
    lost: seen.filter((attribute) => !isKept(attribute)).map(({ name }) => name),
  };
}

/** security.ima and its like are signatures of the content. */
function isKept({ name }: Attribute): boolean {
  return /^(?:user\.|security\.(?:capability|selinux)$|system\.posix_acl_access$)/.test(name);
}
