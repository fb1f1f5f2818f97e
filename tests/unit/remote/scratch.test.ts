import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOutScratch, scratchSizeBytes, type ExecArguments } from '../../../src/remote/scratch.ts';

const word = fc.uint8Array({ min: 1, max: 255, maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const program: fc.Arbitrary<ExecArguments> = fc.record({
  path: word,
  argv: fc.array(word, { maxLength: 40 }),
  environment: fc.array(word, { maxLength: 40 }),
});
const address = fc.bigInt({ min: 16n, max: 2n ** 35n }).map((page) => page * 4096n);
const nonceSizeBytes = 16;
const nonce = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

/** Memory as the target would see it: what is not written is zero. */
function mapped(
  wanted: ExecArguments,
  at: bigint,
): { readonly memory: Buffer; readonly layout: ReturnType<typeof layOutScratch> } {
  const layout = layOutScratch(wanted, at, nonce);
  const memory = Buffer.alloc(layout.sizeBytes);
  layout.bytes.copy(memory);
  return { memory, layout };
}

function string(memory: Buffer, at: number): Buffer {
  return memory.subarray(at, memory.indexOf(0, at));
}

/** The strings that a table of pointers leads to, up to its null pointer, as execve reads it. */
function table(memory: Buffer, start: number, base: bigint): readonly Buffer[] {
  const words: Buffer[] = [];
  for (let at = start; ; at += 8) {
    const pointer = memory.readBigUInt64LE(at);
    if (pointer === 0n) return words;
    words.push(string(memory, Number(pointer - base)));
  }
}

describe('scratch memory', () => {
  it('has what execve is given, wherever it is mapped', () => {
    fc.assert(
      fc.property(program, address, (wanted, at) => {
        const { memory, layout } = mapped(wanted, at);
        expect(string(memory, layout.path)).toStrictEqual(wanted.path);
        expect(table(memory, layout.argv, at)).toStrictEqual(wanted.argv);
        expect(table(memory, layout.envp, at)).toStrictEqual(wanted.environment);
      }),
    );
  });

  it('begins with the nonce, which a mender looks for, then has room that is zero', () => {
    fc.assert(
      fc.property(program, address, (wanted, at) => {
        const { memory, layout } = mapped(wanted, at);
        expect(memory.subarray(0, nonceSizeBytes)).toStrictEqual(nonce);
        expect(layout.room).toBe(nonceSizeBytes);
        expect(memory.subarray(layout.room, layout.room + 256)).toStrictEqual(Buffer.alloc(256));
        expect(Math.min(layout.argv, layout.envp, layout.path)).toBeGreaterThanOrEqual(layout.room + 256);
      }),
    );
  });

  it('ends with a stack of zeros behind all that is written', () => {
    fc.assert(
      fc.property(program, address, (wanted, at) => {
        const { memory, layout } = mapped(wanted, at);
        expect(layout.childStack).toBeGreaterThanOrEqual(layout.bytes.length);
        expect(layout.childStack % 16).toBe(0);
        expect(memory.subarray(layout.childStack)).toStrictEqual(Buffer.alloc(256));
      }),
    );
  });

  it('has the size that was known before its address: whole pages, with room for everything', () => {
    fc.assert(
      fc.property(program, address, (wanted, at) => {
        const { layout } = mapped(wanted, at);
        expect(layout.sizeBytes).toBe(scratchSizeBytes(wanted));
        expect(layout.sizeBytes % 4096).toBe(0);
        expect(layout.sizeBytes).toBeGreaterThan(layout.bytes.length);
      }),
    );
  });

  it.each([4096 - 272 - 16 - 1, 4096 - 272 - 16, 4096 - 272 - 16 + 1])(
    'has room at the edge of a page: a path of %d bytes',
    (length) => {
      const wanted = { path: Buffer.alloc(length, 'a'), argv: [], environment: [] };
      const { memory, layout } = mapped(wanted, 0x10_0000n);
      expect(string(memory, layout.path)).toStrictEqual(wanted.path);
      expect(layout.sizeBytes - layout.bytes.length).toBeGreaterThanOrEqual(256);
    },
  );

  it('takes empty words, which count', () => {
    const wanted = {
      path: Buffer.from('/x'),
      argv: [Buffer.of(), Buffer.from('a'), Buffer.of()],
      environment: [Buffer.of()],
    };
    const { memory, layout } = mapped(wanted, 0x10_0000n);
    expect(table(memory, layout.argv, 0x10_0000n)).toStrictEqual(wanted.argv);
    expect(table(memory, layout.envp, 0x10_0000n)).toStrictEqual(wanted.environment);
  });

  it('has another nonce each time', () => {
    const wanted = { path: Buffer.from('/x'), argv: [], environment: [] };
    const [first, second] = [layOutScratch(wanted, 0n), layOutScratch(wanted, 0n)];
    expect(first.nonce).toHaveLength(nonceSizeBytes);
    expect(first.nonce).not.toStrictEqual(second.nonce);
  });
});
