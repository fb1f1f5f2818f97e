// Files that clients send, in a private directory of the agent: uploads/OPERATION/blobs/DIGEST while they come, and uploads/OPERATION/N
// as the engine is to find them. A part that has come stays over a cut connection; all of it goes with its operation.
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload, UploadEntry } from '../protocol/agent.ts';
import { FrameError } from '../protocol/frames.ts';
import { partOf, Receiving } from './receiving.ts';
import { refuseWithoutRoom } from './room.ts';

export interface OfferedFile {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** What is there of a file: all of it, or so much. */
export type Answered = { readonly kind: 'have' } | { readonly kind: 'want'; readonly offset: number };

export class Uploads {
  readonly #directory: string;
  readonly #byOperation = new Map<string, OperationFiles>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Anything that an earlier agent left there is not wanted any more. */
  async clear(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** One answer a file. Throws file-refused or memory-too-small where they have no room. */
  async offer(operationId: string, files: readonly OfferedFile[]): Promise<readonly Answered[]> {
    const operation = this.#byOperation.get(operationId) ?? new OperationFiles(join(this.#directory, operationId));
    this.#byOperation.set(operationId, operation);
    return operation.offer(files);
  }

  /** Throws FrameError: what was not offered is not received. */
  async receive(
    operationId: string,
    { digest, offset }: Pick<OfferedFile, 'digest'> & { readonly offset: number },
  ): Promise<Receiving> {
    const operation = this.#byOperation.get(operationId);
    if (operation === undefined) throw new FrameError('a file came that was not offered');
    return operation.receive(digest, offset);
  }

  /** Makes the files and directories of a request; the path of each by its source. Throws FrameError when one has not come. */
  async place(operationId: string, uploads: readonly Upload[]): Promise<ReadonlyMap<string, string>> {
    if (uploads.length === 0) return new Map();
    const operation = this.#byOperation.get(operationId);
    if (operation === undefined) throw new FrameError('a request names files that were not offered');
    return operation.place(uploads);
  }

  async remove(operationId: string): Promise<void> {
    const operation = this.#byOperation.get(operationId);
    this.#byOperation.delete(operationId);
    await operation?.remove();
  }

  /** What nobody has added to for so long, and no operation needs. */
  async removeAbandoned(olderThanMs: number, isNeeded: (operationId: string) => boolean): Promise<void> {
    const since = performance.now() - olderThanMs;
    const abandoned = [...this.#byOperation].filter(([id, { usedMs }]) => usedMs < since && !isNeeded(id));
    for (const [id] of abandoned) await this.remove(id);
  }
}

class OperationFiles {
  usedMs: number = performance.now();
  readonly #directory: string;
  readonly #sizes = new Map<string, number>();
  /** Modes that were given to the one inode of a content. */
  readonly #modes = new Map<string, number>();
  /** That are not necessarily writable any more. */
  readonly #made: string[] = [];
  #receiving: Receiving | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async offer(files: readonly OfferedFile[]): Promise<readonly Answered[]> {
    // Of a connection that is gone, or will be: the client has come back.
    await this.#receiving?.leave();
    this.usedMs = performance.now();
    await mkdir(this.#blobs, { recursive: true, mode: 0o700 });
    const there = new Set(await readdir(this.#blobs));
    const answers: Answered[] = [];
    let missingBytes = 0;
    for (const { digest, sizeBytes } of files) {
      this.#sizes.set(digest, sizeBytes);
      const answer = await this.#look(digest, there);
      answers.push(answer);
      if (answer.kind === 'want') missingBytes += Math.max(0, sizeBytes - answer.offset);
    }
    await refuseWithoutRoom(this.#blobs, { bytes: missingBytes, count: files.length });
    return answers;
  }

  async receive(digest: string, offset: number): Promise<Receiving> {
    const sizeBytes = this.#sizes.get(digest);
    if (sizeBytes === undefined) throw new FrameError('a file came that was not offered');
    await this.#receiving?.leave();
    this.usedMs = performance.now();
    const receiving = await Receiving.open({ path: this.#blob(digest), digest, sizeBytes, offset });
    this.#receiving = receiving;
    return receiving;
  }

  async place(uploads: readonly Upload[]): Promise<ReadonlyMap<string, string>> {
    const paths = new Map<string, string>();
    for (const [index, { source, entry }] of uploads.entries()) {
      const directory = join(this.#directory, String(index));
      await mkdir(directory, { mode: 0o700 });
      const path = join(directory, entry.name);
      this.#make(path, entry);
      paths.set(source, path);
    }
    return paths;
  }

  async remove(): Promise<void> {
    await this.#receiving?.leave();
    for (const directory of this.#made) await chmod(directory, 0o700).catch(() => {});
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Not one call after the other through Node's threads: ten thousand files would take their time. */
  #make(path: string, entry: UploadEntry): void {
    switch (entry.kind) {
      case 'file':
        this.#makeFile(path, entry);
        return;
      case 'link':
        symlinkSync(entry.target, path);
        return;
      case 'directory': {
        mkdirSync(path, { mode: 0o700 });
        this.#made.push(path);
        for (const inner of entry.entries) this.#make(join(path, inner.name), inner);
        // Whoever cannot read it cannot bring it on.
        chmodSync(path, entry.mode | 0o500);
      }
    }
  }

  #makeFile(path: string, { digest, mode: wanted }: Extract<UploadEntry, { readonly kind: 'file' }>): void {
    const blob = this.#blob(digest);
    if (!existsSync(blob)) throw new FrameError('a request names a file that has not come');
    // Without CAP_DAC_OVERRIDE the engine could not read it otherwise.
    const mode = wanted | 0o400;
    if ((this.#modes.get(digest) ?? mode) === mode) linkSync(blob, path);
    else copyFileSync(blob, path);
    this.#modes.set(digest, this.#modes.get(digest) ?? mode);
    chmodSync(path, mode);
  }

  async #look(digest: string, there: ReadonlySet<string>): Promise<Answered> {
    if (there.has(digest)) return { kind: 'have' };
    return { kind: 'want', offset: there.has(partOf(digest)) ? (await stat(partOf(this.#blob(digest)))).size : 0 };
  }

  get #blobs(): string {
    return join(this.#directory, 'blobs');
  }

  #blob(digest: string): string {
    return join(this.#blobs, digest);
  }
}
