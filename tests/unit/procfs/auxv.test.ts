import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as auxv from '../../../src/procfs/auxv.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const { parseAuxv } = auxv;

function print(pairs: readonly (readonly [number | bigint, bigint])[]): Buffer {
  const words = pairs.flatMap(([type, value]) => [BigInt(type), value]);
  const buffer = Buffer.alloc(words.length * 8);
  words.forEach((word, index) => buffer.writeBigUInt64LE(word, index * 8));
  return buffer;
}

describe('parseAuxv', () => {
  it('reads a vector as Linux 6.18 gives it', () => {
    const values = parseAuxv(
      Buffer.from(
        '210000000000000000a0622a257f0000' + // AT_SYSINFO_EHDR
          '0900000000000000f0c6c802d1550000' + // AT_ENTRY
          '070000000000000000c0622a257f0000' + // AT_BASE
          '17000000000000000000000000000000' + // AT_SECURE
          '1f00000000000000eb0f3141ff7f0000' + // AT_EXECFN
          '00000000000000000000000000000000',
        'hex',
      ),
    );
    expect(values).toStrictEqual(
      new Map([
        [auxv.AT_SYSINFO_EHDR, 0x7f25_2a62_a000n],
        [auxv.AT_ENTRY, 0x55d1_02c8_c6f0n],
        [auxv.AT_BASE, 0x7f25_2a62_c000n],
        [auxv.AT_SECURE, 0n],
        [auxv.AT_EXECFN, 0x7fff_4131_0febn],
      ]),
    );
  });

  it('ends at AT_NULL', () => {
    expect(
      parseAuxv(
        print([
          [auxv.AT_NULL, 0n],
          [9, 1n],
        ]),
      ).size,
    ).toBe(0);
  });

  it('is empty for a zombie', () => {
    expect(parseAuxv(Buffer.alloc(0)).size).toBe(0);
  });

  it('refuses half a pair and impossible types', () => {
    expect(() => parseAuxv(Buffer.alloc(15, 1))).toThrow(ParseError);
    expect(() => parseAuxv(print([[1n << 40n, 0n]]))).toThrow(ParseError);
  });

  it('gives back what was printed', () => {
    const pairs = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 0xffff_ffff }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
      { selector: ([type]) => type },
    );
    fc.assert(
      fc.property(pairs, (vector) => {
        expect([...parseAuxv(print(vector))]).toStrictEqual(vector);
      }),
    );
  });

  it('throws nothing but ParseError', () => {
    // Each character is a byte.
    const sample = print([
      [9, 1n],
      [0, 0n],
    ]).toString('latin1');
    expect(findCrash((text) => parseAuxv(Buffer.from(text, 'latin1')), sample)).toBeUndefined();
  });
});
