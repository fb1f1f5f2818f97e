// Whether a file may stand at a place in a container: by what is mounted there, by what is there already, and by what hotexec may do.
import { accessSync, closeSync, constants, readFileSync } from 'node:fs';
import { HotexecError } from '../../errors.ts';
import { describeErrno } from '../../native/errno.ts';
import { parseStatus } from '../../procfs/status.ts';
import type { MountKind, Mounts } from '../../rootfs/mounts.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import { pathOfPlace, type Place } from '../../rootfs/place.ts';
import type { Owner } from './planned.ts';
import { refused } from './refuse.ts';

const CAP_CHOWN = 0n;
const CAP_SETFCAP = 31n;

/** The file system takes no new file there, for a reason that memory would not have. */
export class TakesNoFile extends HotexecError {
  constructor(why: string, hint: string) {
    super(refused(why, hint).toData());
  }
}

export interface Destination {
  readonly root: ProcessRoot;
  readonly mounts: Mounts;
  readonly rights: Rights;
  readonly allowVolume: boolean;
  /** Sentences for the person; each once. */
  readonly warnings: Set<string>;
}

/** Throws file-refused. */
export function checkPlace(place: Place, { root, mounts, allowVolume, warnings }: Destination): void {
  const path = pathOfPlace(place);
  const mount = mounts.kindOf(path, place.mountId);
  checkMount(path, mount, allowVolume);
  if (mount.kind === 'volume')
    warnings.add(
      `files are written to the volume ${mount.mountPoint} (${mount.source}), whose content outlives the container`,
    );
  if (place.entry !== null) checkEntry(path, place, place.entry.stat.isFile() || place.entry.stat.isSymbolicLink());
  const errno = whyNotWritable(root, place.directory);
  if (errno === 'EROFS') {
    throw new TakesNoFile(
      `${path} is on a read-only file system`,
      'a new executable can be kept in memory (--in-memory); other files need a volume that can be written',
    );
  }
  if (errno !== undefined) {
    throw new TakesNoFile(
      `${path} cannot be written: ${place.directory} answers ${errno}`,
      'run hotexec as root or as the user who may write there; a new executable can be kept in memory (--in-memory)',
    );
  }
}

function checkMount(path: string, mount: MountKind, allowVolume: boolean): void {
  if (mount.kind === 'special') {
    throw refused(
      `${path} is on a special file system (${mount.fsType}), which holds no files of the container's own`,
      "name a place on the container's own file system",
    );
  }
  if (mount.kind === 'kubelet') {
    throw refused(
      `${path} is on ${mount.mountPoint}, a ${mount.what}: the kubelet writes it anew and the change would be lost`,
      'change the object in the cluster (kubectl edit), or copy to another place',
    );
  }
  if (mount.kind === 'volume' && !allowVolume) {
    throw new TakesNoFile(
      `${path} is on a volume (${mount.mountPoint}, ${mount.source}), whose content outlives the container`,
      'add --allow-volume to write there all the same',
    );
  }
}

function checkEntry(path: string, { mountId, entry }: Place, isOrdinary: boolean): void {
  if (!isOrdinary) throw refused(`${path} is a device, a FIFO or a socket`, 'name another destination');
  if (entry === null || entry.mountId === -1 || entry.mountId === mountId) return;
  throw new TakesNoFile(
    `${path} is a mount of its own (as a runtime's /etc/hosts is), which cannot be replaced by another file`,
    'change the file where it is mounted from',
  );
}

function whyNotWritable(root: ProcessRoot, directory: string): string | undefined {
  const fd = root.openDirectory(directory);
  if (fd < 0) return describeErrno(fd);
  try {
    accessSync(`/proc/self/fd/${fd}`, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    closeSync(fd);
  }
}

/** What hotexec itself may do to files. */
export interface Rights {
  /** Throws file-refused when a file could not be given to that owner, or not with file capabilities. */
  expect(path: string, owner: Owner, hasCapabilities: boolean): void;
}

export function ownRights(): Rights {
  const { uid, gid, groups = [], capEff = 0n } = parseStatus(readFileSync('/proc/self/status', 'utf8'));
  const has = (capability: bigint): boolean => ((capEff >> capability) & 1n) === 1n;
  return {
    expect(path, owner, hasCapabilities): void {
      const isOwn = owner.uid === uid?.[1] && (owner.gid === gid?.[1] || groups.includes(owner.gid));
      if (!has(CAP_CHOWN) && !isOwn) {
        throw new TakesNoFile(
          `${path} would have to belong to ${owner.uid}:${owner.gid}, and hotexec may not give files away (CAP_CHOWN)`,
          `run hotexec as root; a file that is copied may be its own: --chown ${uid?.[1]}:${gid?.[1]}`,
        );
      }
      if (hasCapabilities && !has(CAP_SETFCAP)) {
        throw new TakesNoFile(
          `${path} has file capabilities, and hotexec may not give them to the new file (CAP_SETFCAP)`,
          'run hotexec as root',
        );
      }
    },
  };
}
