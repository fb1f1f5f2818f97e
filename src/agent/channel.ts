// Frames over a stream of bytes, for either end. Who sends waits while the other end does not read.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentMessage, ClientMessage } from '../protocol/agent.ts';
import { encodeBytes, encodeMessage, FrameReader, type Frame } from '../protocol/frames.ts';
import type { ByteStream } from './byte-stream.ts';

const lastWordsMs = 5000;

export class Channel<Sent extends AgentMessage | ClientMessage> {
  readonly #stream: ByteStream;
  readonly #closed = new AbortController();

  constructor(stream: ByteStream) {
    this.#stream = stream;
    // What broke is told by the end of `frames`, or by the next `send`.
    stream.writable.on('error', () => this.#closed.abort());
    stream.writable.once('close', () => this.#closed.abort());
    stream.readable.on('error', () => {});
  }

  get isOpen(): boolean {
    return !this.#closed.signal.aborted && this.#stream.writable.writable;
  }

  /** Resolves when there is room for more, also where nobody is there any more: that is told by the end of `frames`. */
  async send(message: Sent): Promise<void> {
    await this.#write(encodeMessage(message));
  }

  async sendBytes(bytes: Buffer): Promise<void> {
    await this.#write(encodeBytes(bytes));
  }

  /** Until the other end has nothing more to say. Throws what the stream broke with, or a FrameError. */
  async *frames(): AsyncGenerator<Frame, void, undefined> {
    const reader = new FrameReader();
    // Who talks nonsense is still told so.
    for await (const chunk of this.#stream.readable.iterator({ destroyOnReturn: false })) {
      yield* reader.read(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
    }
  }

  /** Nothing more will be said from here; what was said arrives, if the other end reads it soon. */
  async finish(): Promise<void> {
    const { writable } = this.#stream;
    const ended = Promise.withResolvers<void>();
    writable.end(ended.resolve);
    writable.once('close', ended.resolve);
    await Promise.race([ended.promise, delay(lastWordsMs, undefined, { ref: false })]);
    this.close();
  }

  close(): void {
    this.#closed.abort();
    this.#stream.close();
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    const { writable } = this.#stream;
    if (!this.isOpen) return;
    // Together in one turn: nobody else's frame comes between.
    writable.cork();
    let hasRoom = true;
    for (const part of parts) hasRoom = writable.write(part);
    writable.uncork();
    if (hasRoom || !this.isOpen) return;
    try {
      await once(writable, 'drain', { signal: this.#closed.signal });
    } catch {
      // Closed: nobody waits for it any more.
    }
  }
}
