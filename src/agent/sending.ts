// Files on their way to the agent, over one connection: offered, and sent as the agent wants them, one behind the other.
import { createReadStream, readFileSync } from 'node:fs';
import { HotexecError } from '../errors.ts';
import type { AgentMessage, ClientMessage } from '../protocol/agent.ts';
import type { HotexecEvent } from '../protocol/event.ts';
import type { Channel } from './channel.ts';
import type { Packed, PackedFile } from './pack.ts';

/** Read and framed at once: less than a frame. */
const chunkBytes = 256 * 1024;
/** Some of these in one message. */
const offersAtOnce = 2000;
const eventMs = 100;
/** A file that comes damaged is sent again so many times. */
const mostSendings = 3;

type Told = Extract<AgentMessage, { readonly kind: 'want' | 'have' | 'got' }>;

export class Sending {
  readonly #channel: Channel<ClientMessage>;
  readonly #operationId: string;
  readonly #files: Packed['files'];
  readonly #missing: Set<string>;
  readonly #wanted: { readonly file: PackedFile; readonly offset: number }[] = [];
  readonly #sendings = new Map<string, number>();
  readonly #onEvent: (event: HotexecEvent) => void;
  #isSending = false;
  /** Of a file that cannot be read any more: the connection is then closed. */
  error: unknown = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  #doneBytes = 0;

  constructor(
    channel: Channel<ClientMessage>,
    operationId: string,
    { files, onEvent }: Pick<Packed, 'files'> & { readonly onEvent: (event: HotexecEvent) => void },
  ) {
    this.#channel = channel;
    this.#operationId = operationId;
    this.#files = files;
    this.#missing = new Set(files.keys());
    this.#onEvent = onEvent;
  }

  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  /** The first file goes when all have been offered: an offer is no part of a file. */
  async offer(): Promise<void> {
    this.#isSending = true;
    const files = [...this.#files.values()].map(({ digest, sizeBytes }) => ({ digest, sizeBytes }));
    for (let at = 0; at < files.length; at += offersAtOnce)
      await this.#channel.send({
        kind: 'offer',
        operationId: this.#operationId,
        files: files.slice(at, at + offersAtOnce),
      });
    this.#isSending = false;
    await this.#sendWanted();
  }

  hear(told: Told): void {
    const file = this.#files.get(told.digest);
    if (file === undefined) return;
    switch (told.kind) {
      case 'want':
        this.#wanted.push({ file, offset: told.offset });
        void this.#sendWanted();
        return;
      case 'have':
        if (this.#missing.delete(told.digest)) this.#doneBytes += file.sizeBytes;
        this.#tell(file, 0);
        return;
      case 'got':
        this.#tell(file, told.offset);
    }
  }

  async #sendWanted(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let next = this.#wanted.shift(); next !== undefined; next = this.#wanted.shift()) {
        if (!this.#channel.isOpen) return;
        const { file, offset } = next;
        await this.#send(file, offset).catch((error: unknown) => this.#giveUp(file.path, error));
      }
    } finally {
      this.#isSending = false;
    }
  }

  #giveUp(path: string, error: unknown): void {
    this.error = error instanceof HotexecError ? error : unreadable(path, error);
    this.#channel.close();
  }

  /** Bytes of one file alone go between `file` and `file-end`; other messages may. */
  async #send(file: PackedFile, offset: number): Promise<void> {
    const { path, digest, sizeBytes } = file;
    const count = (this.#sendings.get(digest) ?? 0) + 1;
    this.#sendings.set(digest, count);
    if (count > mostSendings) throw damaged(file);
    await this.#channel.send({ kind: 'file', operationId: this.#operationId, digest, offset });
    if (sizeBytes <= chunkBytes) {
      // What has grown meanwhile would not be taken.
      await this.#channel.sendBytes(readFileSync(path).subarray(offset, sizeBytes));
    } else if (offset < sizeBytes) {
      for await (const chunk of createReadStream(path, {
        start: offset,
        end: sizeBytes - 1,
        highWaterMark: chunkBytes,
      })) {
        if (!this.#channel.isOpen) return;
        if (Buffer.isBuffer(chunk)) await this.#channel.sendBytes(chunk);
      }
    }
    await this.#channel.send({ kind: 'file-end' });
  }

  #tell({ path }: PackedFile, offset: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < eventMs && !this.isComplete) return;
    this.#toldMs = nowMs;
    const totalBytes = [...this.#files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#onEvent({ kind: 'upload', path, doneBytes: this.#doneBytes + offset, totalBytes });
  }
}

function unreadable(path: string, cause: unknown): HotexecError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `${path} cannot be read any more: ${why}. Nothing was touched.`;
  return new HotexecError({ code: 'file-not-written', message, hint: null }, { cause });
}

function damaged({ path }: PackedFile): HotexecError {
  return new HotexecError({
    code: 'file-not-written',
    message: `${path} does not come to the agent as it was: it was changed while it was read, or is damaged on the way. Nothing was touched.`,
    hint: 'wait until it is written, then try again',
  });
}
