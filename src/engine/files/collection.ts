// The files and directories of one plan as they come together: each place once, directories that are missing made on the way, and an
// end to how many there may be.
import { statfsSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { RootDirectory } from '../../rootfs/directory.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOfPlace, type Place } from '../../rootfs/place.ts';
import type { Owner, PlannedDirectory, PlannedFile } from './planned.ts';
import { misused, refused } from './refuse.ts';

/** Files, links and new directories together: each has its lines in the journal and a call in the hold. */
const mostFiles = 10_000;
/** Mode of a directory that is made only because a file is to lie in it. */
const parentMode = 0o755;

export class Collection {
  readonly #files = new Map<string, PlannedFile>();
  readonly #directories = new Map<string, PlannedDirectory>();
  readonly #roomNeeded = new Map<string, { directory: string; bytes: number; count: number }>();

  get files(): readonly PlannedFile[] {
    return [...this.#files.values()];
  }

  get directories(): readonly PlannedDirectory[] {
    return [...this.#directories.values()];
  }

  /** `copyUpBytes`: what the file system copies before the old file can be kept. Throws usage or file-refused. */
  addFile(
    place: Place,
    file: Omit<PlannedFile, 'directory' | 'directoryIdentity' | 'name'>,
    copyUpBytes: number,
  ): void {
    this.#addParents(place, file.owner);
    const key = keyOf(place, place.below.length + 1);
    const other = this.#files.get(key);
    if (other !== undefined || this.#directories.has(key)) {
      throw misused(
        other === undefined
          ? `${pathOfPlace(place)} would be both a file (${file.source.path}) and a directory`
          : `${pathOfPlace(place)} is the destination of two files, ${other.source.path} and ${file.source.path}`,
        'each destination can be named once',
      );
    }
    this.#files.set(key, { ...file, ...parentOf(place, place.below.length), name: place.name });
    this.#count(place, (file.source.kind === 'file' ? file.source.sizeBytes : 0) + copyUpBytes);
  }

  /** Nothing is there yet. It may have been made already, as the parent of a file. */
  addDirectory(place: Place, mode: number, owner: Owner): void {
    this.#addParents(place, owner);
    this.#addDirectory(place, place.below.length, { name: place.name, mode, owner });
  }

  /** Throws file-refused when it cannot all be written. */
  expectRoom(root: ProcessRoot): void {
    for (const { directory, bytes, count } of this.#roomNeeded.values()) {
      const fd = root.openDirectory(directory);
      if (fd < 0) continue; // it went this moment: the upload tells
      using at = new RootDirectory(fd);
      const { bavail, bsize, files, ffree } = statfsSync(`/proc/self/fd/${at.fd}`);
      if (bytes > bavail * bsize) {
        throw refused(
          `there is no room for the files: ${mib(bytes)} MiB are needed on the file system of ${directory}, and ${mib(bavail * bsize)} MiB are free`,
          'make room there, or keep a new executable in memory (--in-memory)',
        );
      }
      // A file system that makes inodes as they are needed counts none.
      if (files > 0 && count > ffree) {
        throw refused(
          `the file system of ${directory} has no room for ${count} more files (inodes)`,
          'make room there',
        );
      }
    }
  }

  #addParents(place: Place, owner: Owner): void {
    for (const [depth, name] of place.below.entries()) {
      this.#addDirectory(place, depth, { name, mode: parentMode, owner });
    }
  }

  #addDirectory(place: Place, depth: number, directory: Pick<PlannedDirectory, 'name' | 'mode' | 'owner'>): void {
    const key = keyOf(place, depth + 1);
    const file = this.#files.get(key);
    if (file !== undefined) {
      throw misused(
        `${file.directory}/${file.name} would be both a file (${file.source.path}) and a directory`,
        'name another destination for one of them',
      );
    }
    if (this.#directories.has(key)) return;
    this.#directories.set(key, { ...parentOf(place, depth), ...directory });
    this.#count(place, 0);
  }

  #count({ identity, directory }: Place, bytes: number): void {
    if (this.#files.size + this.#directories.size > mostFiles) {
      throw refused(
        `more than ${mostFiles} files and directories would have to be written`,
        'copy fewer, or an archive of them (a jar, a zip) as one file',
      );
    }
    const [device = ''] = identity.split(':');
    const needed = this.#roomNeeded.get(device) ?? { directory, bytes: 0, count: 0 };
    this.#roomNeeded.set(device, { directory: needed.directory, bytes: needed.bytes + bytes, count: needed.count + 1 });
  }
}

/** The same for every path that leads there. */
function keyOf({ identity, below, name }: Place, depth: number): string {
  return [identity, ...[...below, name].slice(0, depth)].join('/');
}

/** The directory that the entry at this depth below the existing one lies in. */
function parentOf(
  place: Place,
  depth: number,
): { readonly directory: string; readonly directoryIdentity: string | null } {
  const below = place.below.slice(0, depth);
  return {
    directory:
      below.length === 0 ? place.directory : [place.directory === '/' ? '' : place.directory, ...below].join('/'),
    directoryIdentity: below.length === 0 ? place.identity : null,
  };
}

/** As the journal has it of the file that is replaced. */
export function describeOld(stat: BigIntStats, capability: string | null): NonNullable<PlannedFile['replaces']> {
  return {
    inode: String(stat.ino),
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes: Number(stat.size),
    modifiedNs: stat.mtimeNs,
    capability,
  };
}

function mib(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}
