import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeBytes,
  encodeMessage,
  FrameError,
  FrameReader,
  longestFrameBytes,
  longestMessageBytes,
} from '../../../src/protocol/frames.ts';

type Said = { readonly message: object } | { readonly bytes: Buffer };

const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({ message: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()) }),
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({ bytes: Buffer.from(bytes) })),
);

function encode(all: readonly Said[]): Buffer {
  return Buffer.concat(all.flatMap((one) => ('message' in one ? encodeMessage(one.message) : encodeBytes(one.bytes))));
}

/** As the other end hears it: how the bytes of a file are cut into pieces is not said. */
function heard(chunks: readonly Buffer[], reader = new FrameReader()): unknown[] {
  const all: unknown[] = [];
  for (const chunk of chunks) {
    for (const frame of reader.read(chunk)) {
      if (frame.kind === 'message') all.push(JSON.parse(frame.text));
      else for (const byte of frame.bytes) all.push(byte);
    }
    chunk.fill(0xff); // a stream may use it again
  }
  return all;
}

function meant(all: readonly Said[]): unknown[] {
  return all.flatMap((one) =>
    'message' in one ? [JSON.parse(JSON.stringify(one.message)) as unknown] : [...one.bytes],
  );
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)));
}

function outcomeOf(chunks: readonly Buffer[]): string {
  try {
    heardBytes(chunks);
    return 'frames';
  } catch (error) {
    if (error instanceof FrameError) return 'refused';
    throw error;
  }
}

/** Without a look at what is said. */
function heardBytes(chunks: readonly Buffer[]): number {
  const reader = new FrameReader();
  return chunks.reduce((count, chunk) => count + [...reader.read(chunk)].length, 0);
}

describe('frames', () => {
  test('say the same however the stream is cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(said), fc.array(fc.nat()), (all, places) => {
        const reader = new FrameReader();
        expect(heard(cut(encode(all), places), reader)).toEqual(meant(all));
        expect(reader.isInTheMiddle).toBe(false);
      }),
    );
  });

  test('say the same byte by byte', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 4 }), (all) => {
        const bytes = encode(all);
        expect(heard(cut(bytes, [...bytes.keys()]))).toEqual(meant(all));
      }),
      { numRuns: 20 },
    );
  });

  test('carry a message that is longer than one of them, and the next one behind it', () => {
    const long = { text: 'ü'.repeat(longestFrameBytes) };
    const frames = encodeMessage(long);
    expect(frames.every((part) => part.length < longestFrameBytes)).toBe(true);
    expect(heard([Buffer.concat([...frames, ...encodeMessage({ next: true })])])).toEqual([long, { next: true }]);
  });

  test('know a stream that was cut in the middle', () => {
    const bytes = encode([{ message: { a: 1 } }, { bytes: Buffer.from('abc') }]);
    for (const end of bytes.keys()) {
      const reader = new FrameReader();
      heard([Buffer.from(bytes.subarray(0, end))], reader);
      const isBetween = end === 0 || end === encode([{ message: { a: 1 } }]).length;
      expect(reader.isInTheMiddle).toBe(!isBetween);
    }
  });

  test('refuse what is no frame: a shell that says something, a length beyond the limit, none at all', () => {
    const wrong = [
      Buffer.from('sh: hotexec: not found\n'),
      Buffer.from([0, 0, 0, 0, 0]),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 0]),
      Buffer.from([0, 0x10, 0, 1, 1]),
      Buffer.from([0, 0, 0, 2, 3, 0]),
    ];
    for (const bytes of wrong) expect(() => heard([bytes]), bytes.toString('hex')).toThrow(FrameError);
  });

  test('refuse a message without an end', () => {
    const part = Buffer.concat([Buffer.from([0, 0x10, 0, 0, 2]), Buffer.alloc(longestFrameBytes - 1, 0x20)]);
    const count = Math.floor(longestMessageBytes / longestFrameBytes) + 1;
    const reader = new FrameReader();
    expect(() => {
      for (let index = 0; index < count; index += 1) heard([Buffer.from(part)], reader);
    }).toThrow(FrameError);
    expect(() => encodeMessage({ text: 'x'.repeat(longestMessageBytes) })).toThrow(FrameError);
  });

  test('survive any bytes: frames, or a refusal', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        expect(outcomeOf(chunks.map((chunk) => Buffer.from(chunk)))).toMatch(/^(?:frames|refused)$/);
      }),
    );
  });

  test('do not carry more bytes of a file than fit into one', () => {
    expect(() => encodeBytes(Buffer.alloc(longestFrameBytes))).toThrow(FrameError);
    expect(heard([Buffer.concat(encodeBytes(Buffer.alloc(longestFrameBytes - 1)))])).toHaveLength(
      longestFrameBytes - 1,
    );
  });
});
