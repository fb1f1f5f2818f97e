// A stream of bytes as frames: [u32 big-endian length][u8 kind][payload]. The length is that of kind and payload together.
// A message longer than a frame goes on in the next; a file's bytes are as many frames as it takes.

export type Frame =
  | { readonly kind: 'message'; readonly text: string }
  /** Of the file that is being sent. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer };

/** Kind and payload. */
export const longestFrameBytes: number = 1024 * 1024;
/** A directory of ten thousand files has an entry for each; arguments and environment have a few MiB at most. */
export const longestMessageBytes: number = 32 * 1024 * 1024;

const headerBytes = 5;
const kinds = { message: 0, bytes: 1, partOfMessage: 2 } as const;

/** What came is not of this protocol: the other end is another program, or an error message of one. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeMessage(message: object): readonly Buffer[] {
  const payload = Buffer.from(JSON.stringify(message));
  if (payload.length > longestMessageBytes) throw new FrameError(`a message of ${payload.length} bytes is too long`);
  const room = longestFrameBytes - 1;
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += room) {
    const part = payload.subarray(at, at + room);
    frames.push(header(at + room < payload.length ? kinds.partOfMessage : kinds.message, part.length), part);
  }
  return frames;
}

/** At most `longestFrameBytes` - 1 of them. */
export function encodeBytes(bytes: Buffer): readonly [Buffer, Buffer] {
  if (bytes.length >= longestFrameBytes) throw new FrameError(`${bytes.length} bytes do not fit into a frame`);
  return [header(kinds.bytes, bytes.length), bytes];
}

function header(kind: number, payloadBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes);
  bytes.writeUInt32BE(payloadBytes + 1, 0);
  bytes.writeUInt8(kind, 4);
  return bytes;
}

/** Takes chunks as they come. Bytes of a file are passed on without being gathered to whole frames. */
export class FrameReader {
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #kind: number = kinds.message;
  #missing = 0;
  #message: Buffer[] = [];
  #messageBytes = 0;

  /** Something was begun and has not ended: a stream that ends here was cut. */
  get isInTheMiddle(): boolean {
    return this.#headerFilled > 0 || this.#messageBytes > 0;
  }

  /** Throws FrameError; nothing that comes after that can be understood. */
  *read(chunk: Buffer): Generator<Frame, void, undefined> {
    for (let at = 0; at < chunk.length;) {
      if (this.#headerFilled < headerBytes) {
        const taken = chunk.copy(this.#header, this.#headerFilled, at);
        at += taken;
        this.#headerFilled += taken;
        if (this.#headerFilled < headerBytes) return;
        this.#begin();
      } else {
        const part = chunk.subarray(at, at + this.#missing);
        at += part.length;
        this.#missing -= part.length;
        if (this.#kind === kinds.bytes) yield { kind: 'bytes', bytes: part };
        else this.#gather(part);
      }
      if (this.#headerFilled === headerBytes && this.#missing === 0) yield* this.#end();
    }
  }

  #begin(): void {
    const length = this.#header.readUInt32BE(0);
    this.#kind = this.#header.readUInt8(4);
    const isKnown = Object.values<number>(kinds).includes(this.#kind);
    if (!isKnown || length === 0 || length > longestFrameBytes)
      throw new FrameError(`what came is no frame of hotexec's: ${JSON.stringify(this.#header.toString('latin1'))}`);
    // In the middle of a message there is nothing else.
    if (this.#kind === kinds.bytes && this.#messageBytes > 0)
      throw new FrameError('bytes of a file came in the middle of a message');
    this.#missing = length - 1;
  }

  #gather(part: Buffer): void {
    this.#messageBytes += part.length;
    if (this.#messageBytes > longestMessageBytes) throw new FrameError('a message is too long');
    // The chunk is the reader's: it may be used again.
    this.#message.push(Buffer.from(part));
  }

  *#end(): Generator<Frame, void, undefined> {
    this.#headerFilled = 0;
    if (this.#kind !== kinds.message) return;
    const text = Buffer.concat(this.#message).toString();
    this.#message = [];
    this.#messageBytes = 0;
    yield { kind: 'message', text };
  }
}
