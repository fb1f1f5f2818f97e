// `--copy SRC:DEST`: which files come to lie where. A directory's content is merged into DEST; a file goes into DEST where that is a
// directory, or is written with a slash at its end.
import { basename, join } from 'node:path';
import { readAttribute, capabilityAttribute } from '../../rootfs/attributes.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOfPlace, resolvePlace, type Place } from '../../rootfs/place.ts';
import { idOutside } from '../../procfs/id-map.ts';
import type { FileCopy } from '../../protocol/request.ts';
import type { Observed } from '../observe.ts';
import { describeOld, type Collection } from './collection.ts';
import { checkPlace, type Destination } from './destination.ts';
import type { OldFile, Owner } from './planned.ts';
import { misused, refused } from './refuse.ts';
import { examineEntry, examineSource, type SourceDirectory, type SourceFile, type SourceLink } from './source.ts';
import { withOldFile } from './old-file.ts';

const PATH_MAX = 4096;

export interface CopyPlace {
  readonly observed: Observed;
  readonly collection: Collection;
  readonly destination: Destination;
}

/** Throws usage or file-refused. */
export function planCopy(copy: FileCopy, { observed, collection, destination }: CopyPlace): void {
  const source = examineSource(copy.source);
  expectAbsolute(copy.destination);
  const owner = copy.owner === null ? null : ownerOutside(copy.owner, observed);
  const walk = new Walk({ collection, destination, owner, programOwner: programOwner(observed) });
  walk.start(source, copy.destination);
}

interface Walking {
  readonly collection: Collection;
  readonly destination: Destination;
  /** Null: of the file that is replaced, else the program's. */
  readonly owner: Owner | null;
  readonly programOwner: Owner;
}

class Walk {
  readonly #at: Walking;

  constructor(at: Walking) {
    this.#at = at;
  }

  start(source: SourceFile | SourceDirectory, wanted: string): void {
    if (source.kind === 'directory') {
      this.#merge(source, wanted);
      return;
    }
    const into = /\/\.?$/.test(wanted) || this.#resolve(wanted, true).kind === 'directory';
    // Not path.join, which takes `link/..` for nothing.
    const path = into ? `${wanted}/${basename(source.path)}` : wanted;
    this.#addFile(source, path);
  }

  #merge(source: SourceDirectory, wanted: string): void {
    const found = this.#resolve(wanted, true);
    let path: string;
    if (found.kind === 'directory') {
      ({ path } = found);
    } else {
      path = pathOfPlace(found.place);
      if (found.place.entry !== null)
        throw refused(`${path} is a file, and ${source.path} is a directory`, 'name a directory as the destination');
      this.#check(found.place);
      const owner = this.#at.owner ?? this.#at.programOwner;
      this.#at.destination.rights.expect(path, owner, false);
      this.#at.collection.addDirectory(found.place, source.mode, owner);
    }
    for (const name of source.names) {
      const entry = examineEntry(join(source.path, name));
      const below = `${path === '/' ? '' : path}/${name}`;
      if (entry.kind === 'directory') this.#merge(entry, below);
      else this.#addFile(entry, below);
    }
  }

  #addFile(source: SourceFile | SourceLink, wanted: string): void {
    // A file is written through a link; a link takes the place of one.
    const found = this.#resolve(wanted, source.kind === 'file');
    if (found.kind === 'directory') throw refused(`${found.path} is a directory, and ${source.path} is none`, null);
    const { place } = found;
    this.#check(place);
    const old = oldFileAt(this.#at.destination.root, place);
    const owner = this.#at.owner ?? old ?? this.#at.programOwner;
    this.#at.destination.rights.expect(pathOfPlace(place), owner, false);
    this.#at.collection.addFile(
      place,
      {
        source,
        mode: source.kind === 'file' ? source.mode : 0o777,
        owner: { uid: owner.uid, gid: owner.gid },
        attributes: [],
        isExecutable: false,
        replaces: old,
      },
      old !== null && this.#at.destination.mounts.isOverlay(place.mountId) ? old.sizeBytes : 0,
    );
  }

  #resolve(path: string, follow: boolean): Exclude<ReturnType<typeof resolvePlace>, { readonly kind: 'refused' }> {
    const found = resolvePlace(this.#at.destination.root, path, { follow });
    if (found.kind !== 'refused') return found;
    throw refused(`${path} cannot be written in the container: ${found.why}`, 'the path is meant inside the container');
  }

  #check(place: Place): void {
    checkPlace(place, this.#at.destination);
  }
}

/** What stands at a place now. */
export function oldFileAt(root: ProcessRoot, place: Place): OldFile | null {
  if (place.entry === null) return null;
  const { stat } = place.entry;
  if (!stat.isFile()) return describeOld(stat, null);
  return withOldFile(root, place, (path) => {
    const capability = readAttribute(path, capabilityAttribute);
    return describeOld(stat, Buffer.isBuffer(capability) ? capability.toString('hex') : null);
  });
}

/** As hotexec sees it: what the program would get if it made the file itself. */
export function programOwner({ status }: Observed): Owner {
  return { uid: status.uid?.[3] ?? 0, gid: status.gid?.[3] ?? 0 };
}

function ownerOutside(owner: Owner, { environment }: Observed): Owner {
  const [uid, gid] = [idOutside(owner.uid, environment.uidMap), idOutside(owner.gid, environment.gidMap)];
  if (uid !== undefined && gid !== undefined) return { uid, gid };
  throw misused(
    `--chown ${owner.uid}:${owner.gid}: the container's user namespace has no such ${uid === undefined ? 'user' : 'group'}`,
    'ids are meant as inside the container',
  );
}

export function expectAbsolute(path: string): void {
  const words = path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= PATH_MAX;
  if (words) return;
  throw misused(
    `${JSON.stringify(path)} cannot be a destination: it must be an absolute path inside the container, of at most ${PATH_MAX} bytes`,
    '--copy SRC:/absolute/path',
  );
}
