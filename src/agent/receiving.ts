// One file on its way into the agent: written as it comes, taken for what it is by its digest.
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FrameError } from '../protocol/frames.ts';

interface Coming {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly offset: number;
}

export class Receiving {
  readonly digest: string;
  readonly #path: string;
  readonly #sizeBytes: number;
  readonly #hash: Hash;
  readonly #file: FileHandle;
  #offset: number;
  /** The write that is under way. */
  #writing: Promise<unknown> = Promise.resolve();
  #isLeft = false;

  private constructor(
    { path, digest, sizeBytes, offset }: Coming,
    { file, hash }: { readonly file: FileHandle; readonly hash: Hash },
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

  get offset(): number {
    return this.#offset;
  }

  /** Throws FrameError when more comes than was offered, or from a connection whose client has come back by another. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#isLeft) throw new FrameError('the client has gone on by another connection');
    if (this.#offset + bytes.length > this.#sizeBytes) throw new FrameError('more of a file came than was offered');
    this.#hash.update(bytes);
    this.#writing = this.#file.appendFile(bytes);
    await this.#writing;
    this.#offset += bytes.length;
  }

  /** False: not what was offered, and thrown away. */
  async finish(): Promise<boolean> {
    if (this.#isLeft) return false;
    this.#isLeft = true;
    await this.#file.close();
    const isRight = this.#offset === this.#sizeBytes && this.#hash.digest('hex') === this.digest;
    await (isRight ? rename(partOf(this.#path), this.#path) : rm(partOf(this.#path)));
    return isRight;
  }

  /** What has come stays. */
  async leave(): Promise<void> {
    if (this.#isLeft) return;
    this.#isLeft = true;
    await this.#writing.catch(() => {});
    await this.#file.close();
  }
}

export function partOf(path: string): string {
  return `${path}.part`;
}

export async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch {
    return null;
  }
}
