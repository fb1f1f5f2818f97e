// One file on its way into the agent: written as it comes, taken for what it is by its digest.
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FrameError } from '../protocol/frames.ts';

interface Coming {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** Where there are thousands of them, each would take several turns through Node's threads; one that is cut off is sent again. */
const smallBytes = 64 * 1024;
/** More is not taken from the socket before it is written. */
const mostWaitingBytes = 1024 * 1024;

export class Receiving {
  readonly digest: string;
  readonly #path: string;
  readonly #sizeBytes: number;
  readonly #hash: Hash;
  /** Null: a small one, that is written when it is whole. */
  readonly #file: FileHandle | null;
  #offset: number;
  /** What has come and is not being written yet. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The write that is under way. */
  #writing: Promise<void> | null = null;
  #isLeft = false;

  private constructor(
    { path, digest, sizeBytes, offset }: Coming,
    { file, hash }: { readonly file: FileHandle | null; readonly hash: Hash },
  ) {
    this.digest = digest;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#offset = offset;
    this.#file = file;
    this.#hash = hash;
  }

  /** Throws FrameError when the part that is there is not so long. */
  static async open(coming: Coming): Promise<Receiving> {
    if (coming.sizeBytes <= smallBytes)
      return new Receiving({ ...coming, offset: 0 }, { file: null, hash: createHash('sha256') });
    const part = partOf(coming.path);
    const file = await open(part, 'a+', 0o600);
    try {
      if ((await file.stat()).size < coming.offset) throw new FrameError('a file goes on behind its end');
      await file.truncate(coming.offset);
      const hash = createHash('sha256');
      if (coming.offset > 0) await pipeline(createReadStream(part), hash, { end: false });
      return new Receiving(coming, { file, hash });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** So much is written, or about to be. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Resolves when more may come: while some is written the next is read, and what has come meanwhile is written at once. Throws FrameError
   * when more comes than was offered, or from a connection whose client has come back by another; or what an earlier write failed with.
   */
  async write(bytes: Buffer): Promise<void> {
    if (this.#isLeft) throw new FrameError('the client has gone on by another connection');
    if (this.#offset + bytes.length > this.#sizeBytes) throw new FrameError('more of a file came than was offered');
    this.#hash.update(bytes);
    this.#offset += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#file === null) return;
    if (this.#waitingBytes >= mostWaitingBytes) await this.#writing;
    this.#writing ??= this.#writeWaiting(this.#file);
    // It is waited for later, and what it throws is not lost then.
    this.#writing.catch(() => {});
  }

  async #writeWaiting(file: FileHandle): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await file.appendFile(Buffer.concat(together));
    }
    this.#writing = null;
  }

  /** False: not what was offered, and thrown away. */
  async finish(): Promise<boolean> {
    if (this.#isLeft) return false;
    this.#isLeft = true;
    try {
      await this.#writing;
    } finally {
      await this.#file?.close();
    }
    const isRight = this.#offset === this.#sizeBytes && this.#hash.digest('hex') === this.digest;
    if (this.#file !== null) await (isRight ? rename(partOf(this.#path), this.#path) : rm(partOf(this.#path)));
    else if (isRight) writeFileSync(this.#path, Buffer.concat(this.#waiting), { mode: 0o600 });
    return isRight;
  }

  /** What has come stays. */
  async leave(): Promise<void> {
    if (this.#isLeft) return;
    this.#isLeft = true;
    await this.#writing?.catch(() => {});
    await this.#file?.close();
  }
}

export function partOf(path: string): string {
  return `${path}.part`;
}
