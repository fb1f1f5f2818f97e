// Brings files into a container so that the hold has only to rename them: each is written beside its destination under a name of
// hotexec's own, and the file that is there gets a second name, under which it waits for a rollback.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  type BigIntStats,
} from 'node:fs';
import { arch } from '../../arch/arch.ts';
import type { Journal } from '../../journal/journal.ts';
import { describeErrno } from '../../native/errno.ts';
import { sha256 } from '../../native/digest.ts';
import { syscall } from '../../native/syscall.ts';
import { birthOf, identityOf, type RootDirectory } from '../../rootfs/directory.ts';
import type { ProcessRoot } from '../../rootfs/open.ts';
import type { Host } from '../host.ts';
import { pathOf, type FilePlan, type OldFile, type PlannedDirectory, type PlannedFile } from './planned.ts';
import { Progress } from './progress.ts';
import { expectUnchanged, openSource, type SourceFile } from './source.ts';
import { StagedFiles, type StagedFile } from './staged.ts';
import { copyContent, finish, notWritten } from './upload.ts';

const O_NOFOLLOW_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** More than these are written to disk by one call for all, which may have to wait for what others have written. */
const mostSyncedSingly = 32;

export interface StageTools {
  readonly journal: Journal;
  readonly host: Host;
  readonly root: ProcessRoot;
  readonly operationId: string;
}

/**
 * To be called before the hold, after the journal has begun. Throws usage, file-not-written, cancelled or timeout; then nothing stays.
 * The root must live as long as what is returned.
 */
export function stageFiles(plan: FilePlan, tools: StageTools): StagedFiles {
  const staged = new StagedFiles(tools);
  try {
    new Upload(plan, tools, staged).run();
  } catch (error) {
    staged.putBack();
    throw error;
  }
  return staged;
}

class Upload {
  readonly #plan: FilePlan;
  readonly #root: ProcessRoot;
  readonly #prefix: string;
  readonly #staged: StagedFiles;
  readonly #progress: Progress;
  #count = 0;

  constructor(plan: FilePlan, { host, root, operationId }: StageTools, staged: StagedFiles) {
    this.#plan = plan;
    this.#root = root;
    this.#staged = staged;
    // Part of a name: an operation's id may be anything that its caller has made.
    this.#prefix = `.hotexec-${operationId.replaceAll(/[^\w-]/g, '').slice(0, 8)}`;
    const sizes = plan.files.map(({ source }) => (source.kind === 'file' ? source.sizeBytes : 0));
    this.#progress = new Progress(
      host,
      sizes.reduce((sum, bytes) => sum + bytes, 0),
    );
  }

  run(): void {
    for (const directory of this.#plan.directories) {
      guard(pathOf(directory), () => this.#makeDirectory(directory));
    }
    for (const file of this.#plan.files) guard(pathOf(file), () => this.#bring(file));
    const last = this.#plan.files.at(-1);
    if (last === undefined) return;
    guard(pathOf(last), () => this.#syncAll());
    // Each kept name may make the file system copy the old file: not in the hold.
    for (const file of this.#staged.files) guard(pathOf(file.change), () => this.#keepOld(file));
    this.#progress.end(pathOf(last));
  }

  /** Under another name first: its inode is in the journal before it is where a program would look. */
  #makeDirectory(planned: PlannedDirectory): void {
    const directory = this.#open(planned);
    const temporary = this.#nextName();
    this.#staged.enter({ kind: 'temporary', directory: planned.directory, name: temporary });
    mkdirSync(directory.at(temporary), 0o700);
    const fd = openSync(directory.at(temporary), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const path = `/proc/self/fd/${fd}`;
      const stat = fstatSync(fd, { bigint: true });
      // Somebody in the container could have put another one there, to have its owner changed.
      if ((stat.mode & 0o7777n) !== 0o700n || readdirSync(path).length > 0)
        throw new Error('another directory has taken its place meanwhile');
      fchownSync(fd, planned.owner.uid, planned.owner.gid);
      fchmodSync(fd, planned.mode);
      this.#staged.enter({
        kind: 'directory',
        directory: planned.directory,
        name: planned.name,
        birth: birthOf(stat),
      });
      const renamed = directory.renameToFreeName(temporary, planned.name);
      if (renamed < 0) throw new Error(describeErrno(renamed));
      this.#staged.made(pathOf(planned), identityOf(stat));
    } finally {
      closeSync(fd);
    }
  }

  #bring(file: PlannedFile): void {
    this.#progress.step(pathOf(file), 0);
    const directory = this.#open(file);
    const temporary = this.#nextName();
    const { digest, birth } = this.#writeSource(file, directory, temporary);
    const { replaces } = file;
    const change: StagedFile['change'] = {
      kind: 'file',
      directory: file.directory,
      directoryIdentity: directory.identity,
      name: file.name,
      temporary,
      birth,
      kept:
        replaces === null
          ? null
          : {
              name: `${temporary}.old`,
              mode: replaces.mode,
              uid: replaces.uid,
              gid: replaces.gid,
              capability: replaces.capability,
            },
    };
    this.#staged.add({ change, planned: file, digest });
  }

  #writeSource(file: PlannedFile, directory: RootDirectory, temporary: string): Written {
    const { source } = file;
    if (source.kind === 'nothing') return { digest: null, birth: null };
    this.#staged.enter({ kind: 'temporary', directory: file.directory, name: temporary });
    return source.kind === 'file'
      ? this.#write(file, source, directory.at(temporary))
      : writeLink(file, source.target, directory.at(temporary));
  }

  #write(file: PlannedFile, source: SourceFile, path: string): Written {
    const to = openSync(path, O_NOFOLLOW_NEW, 0o600);
    try {
      const from = openSource(source, this.#root);
      try {
        const digest = copyContent(source, { from, to }, (bytes) => this.#progress.step(pathOf(file), bytes));
        expectUnchanged(source, from);
        finish(to, file, this.#plan.files.length <= mostSyncedSingly);
        // Of the very file that was written, whatever its name means by now.
        return { digest, birth: birthOf(fstatSync(to, { bigint: true })) };
      } finally {
        closeSync(from);
      }
    } finally {
      closeSync(to);
    }
  }

  #keepOld({ change, planned }: StagedFile): void {
    if (change.kept === null) return;
    const directory = this.#open(planned);
    linkSync(directory.at(change.name), directory.at(change.kept.name));
    const kept = directory.entry(change.kept.name);
    if (kept === undefined || planned.replaces === null || !isSame(kept, planned.replaces))
      throw new Error('another file has taken its place meanwhile');
  }

  #syncAll(): void {
    if (this.#plan.files.length <= mostSyncedSingly) return;
    const devices = new Set<string>();
    for (const planned of this.#plan.files) {
      const directory = this.#open(planned);
      const [device = ''] = directory.identity.split(':');
      if (devices.has(device)) continue;
      devices.add(device);
      const fd = openSync(`/proc/self/fd/${directory.fd}`, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        if (syscall(arch.syscalls.syncfs, fd) < 0) fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    }
  }

  #open(planned: PlannedFile | PlannedDirectory): RootDirectory {
    return this.#staged.openDirectory(planned.directory, planned.directoryIdentity);
  }

  #nextName(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count}`;
  }
}

interface Written {
  readonly digest: string | null;
  readonly birth: string | null;
}

/** The second name may have made an overlay copy it up: that can give it another number, but neither size nor time. */
function isSame(kept: BigIntStats, { inode, sizeBytes, modifiedNs }: OldFile): boolean {
  return String(kept.ino) === inode || (Number(kept.size) === sizeBytes && kept.mtimeNs === modifiedNs);
}

function writeLink({ owner }: PlannedFile, target: string, path: string): Written {
  symlinkSync(target, path);
  lchownSync(path, owner.uid, owner.gid);
  return {
    digest: sha256().update(target).digest('hex'),
    birth: birthOf(lstatSync(path, { bigint: true })),
  };
}

function guard(path: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    throw notWritten(path, error);
  }
}
