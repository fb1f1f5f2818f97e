// Files that lie ready in a container. In the hold they are renamed to their names, and from then on there are two ways: all of it is put
// back, or all of it stays. Leaving the scope without having settled puts back.
import { closeSync, constants, fsyncSync, openSync, renameSync, unlinkSync } from 'node:fs';
import type { FileChange } from '../../journal/change.ts';
import { describeErrno, EEXIST, EINVAL } from '../../native/errno.ts';
import type { ChangedFile } from '../../protocol/result.ts';
import { birthOf, Directories, isSameFile, type RootDirectory } from '../../rootfs/directory.ts';
import { pathOf, type OldFile, type PlannedFile } from './planned.ts';
import type { StageTools } from './stage.ts';
import { settleFile, undoFile } from './undo.ts';
import { notWritten } from './upload.ts';

export interface StagedFile {
  readonly change: Extract<FileChange, { readonly kind: 'file' }>;
  readonly planned: PlannedFile;
  /** SHA-256, hexadecimal; null: no file comes. */
  readonly digest: string | null;
}

/** What has come of one file. */
export interface SettledFile {
  readonly changed: ChangedFile;
  /** The kept file as it was: what it must get back with its old name; null: there was none. */
  readonly kept: OldFile | null;
}

export class StagedFiles implements Disposable {
  readonly #tools: Pick<StageTools, 'journal' | 'host'>;
  readonly #directories: Directories;
  readonly #made = new Map<string, string>();
  readonly #files: StagedFile[] = [];
  #changes: { readonly id: number; readonly change: FileChange }[] = [];

  constructor({ journal, host, root }: StageTools) {
    this.#tools = { journal, host };
    this.#directories = new Directories(root);
  }

  get files(): readonly StagedFile[] {
    return this.#files;
  }

  /** What will have come of them when they are settled. */
  describe(): readonly SettledFile[] {
    return this.#files.map(describe);
  }

  /** To be called before the effect. */
  enter(change: FileChange): void {
    this.#changes.push({ id: this.#tools.journal.enter(change), change });
  }

  add(file: StagedFile): void {
    this.enter(file.change);
    this.#files.push(file);
  }

  /** `identity`: of a directory that did not exist when all was planned. */
  made(path: string, identity: string): void {
    this.#made.set(path, identity);
  }

  /** To be used before the next one is asked for. Throws when another directory is there than the one that was planned or made. */
  openDirectory(path: string, identity: string | null): RootDirectory {
    const opened = this.#directories.open(path);
    if (typeof opened === 'number') throw new Error(`${path} cannot be opened: ${describeErrno(opened)}`);
    if (opened.identity !== (identity ?? this.#made.get(path)))
      throw new Error(`${path} was replaced by another directory meanwhile`);
    return opened;
  }

  /** In the hold: nothing but renames. Throws file-not-written; then putBack is called for all. */
  commit(): void {
    const seen = new Set<string>();
    for (const file of this.#files) {
      try {
        const directory = this.openDirectory(file.change.directory, file.planned.directoryIdentity);
        if (!seen.has(file.change.directory)) this.#expectInPlace(file.change.directory, directory);
        seen.add(file.change.directory);
        rename(directory, file.change);
      } catch (error) {
        throw notWritten(pathOf(file.change), error);
      }
    }
  }

  /** All is as it was before, whether it was committed or not. What cannot be put back is told as a warning. */
  putBack(): void {
    for (const { id, change } of this.#changes.toReversed()) {
      try {
        undoFile(this.#directories, change);
        this.#tools.journal.strike(id);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const path = pathOf(change);
        this.#tools.host.emit({ kind: 'warning', message: `${path} in the container could not be put back: ${why}` });
      }
    }
    this.#end();
  }

  /** The new program stays, and the files with it. The old ones wait under their other names, without set-ids and capabilities. */
  settle(): readonly SettledFile[] {
    for (const { id, change } of this.#changes) {
      try {
        settleFile(this.#directories, change);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `the old ${pathOf(change)} keeps its set-id bits and capabilities under its new name: ${why}`;
        this.#tools.host.emit({ kind: 'warning', message });
      }
      this.#tools.journal.strike(id);
    }
    for (const path of new Set(this.#files.map(({ change }) => change.directory))) this.#sync(path);
    const settled = this.#files.map(describe);
    this.#end();
    return settled;
  }

  /** Neither: whoever reads the journal decides. */
  leave(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.putBack();
  }

  #end(): void {
    this.#changes = [];
    this.#directories[Symbol.dispose]();
  }

  #expectInPlace(path: string, { identity }: RootDirectory): void {
    if (this.#directories.identityNow(path) !== identity)
      throw new Error(`${path} was replaced by another directory meanwhile`);
  }

  /** So that the new names survive a power cut. A directory that cannot be opened is no reason to go back. */
  #sync(path: string): void {
    const directory = this.#directories.open(path);
    if (typeof directory === 'number') return;
    try {
      const fd = openSync(`/proc/self/fd/${directory.fd}`, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch {
      // FUSE and others have no fsync for directories.
    }
  }
}

function rename(directory: RootDirectory, change: StagedFile['change']): void {
  const { name, temporary, birth, kept } = change;
  const [now, own] = [directory.entry(name), directory.entry(temporary)];
  if (birth !== null && (own === undefined || birthOf(own) !== birth))
    throw new Error('the new file was replaced by another one meanwhile');
  if (kept !== null) {
    const old = directory.entry(kept.name);
    if (now === undefined || old === undefined || !isSameFile(now, old))
      throw new Error('another file has taken its place meanwhile');
    if (birth === null) unlinkSync(directory.at(name));
    else renameSync(directory.at(temporary), directory.at(name));
    return;
  }
  const renamed = directory.renameToFreeName(temporary, name);
  if (renamed === 0) return;
  if (renamed !== -EINVAL) throw new Error(describeErrno(renamed));
  // A file system that cannot refuse by itself, as NFS.
  if (now !== undefined) throw new Error(describeErrno(EEXIST));
  renameSync(directory.at(temporary), directory.at(name));
}

function describe({ change, planned, digest }: StagedFile): SettledFile {
  const { source, replaces } = planned;
  return {
    changed: {
      path: pathOf(change),
      change: source.kind === 'nothing' ? 'removed' : replaces === null ? 'created' : 'replaced',
      digest,
      sizeBytes: sizeOf(source),
      keptAs: change.kept === null ? null : pathOf({ ...change, name: change.kept.name }),
    },
    kept: replaces,
  };
}

function sizeOf(source: PlannedFile['source']): number {
  if (source.kind === 'nothing') return 0;
  return source.kind === 'file' ? source.sizeBytes : Buffer.byteLength(source.target);
}
