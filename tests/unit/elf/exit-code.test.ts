import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findExitCode } from '../../../src/elf/exit-code.ts';

// Disassembled from the programs named.
const go = '8b7c2408 b8e7000000 0f05 c3';
const musl = '4863ff b8e7000000 0f05 ba3c000000 90 4889d0 0f05 ebf9';
const glibc236 =
  '4c8b05095a1000 bee7000000 ba3c000000 eb12 0f1f440000 89d0 0f05 483d00f0ffff 771c f4 89f0 0f05 483d00f0ffff';
const byR9 = '41b9e7000000 90 4489c8 0f05';

function code(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('findExitCode', () => {
  it.each([
    ['go', go, 4],
    ['musl', musl, 3],
    ['glibc 2.36', glibc236, 7],
    ['r9d', byR9, 0],
  ])('finds that of %s', (_, hex, offset) => {
    expect(findExitCode(code(hex))).toEqual([offset]);
    expect(findExitCode(code(`90 ${hex} ${hex}`))).toHaveLength(2);
  });

  it.each([
    ['a number that only looks like it', 'b8e7000000 c3'],
    ['another register', 'bee7000000 89d0 0f05'],
    ['a system call too far away', `bee7000000 ${'90'.repeat(64)} 89f0 0f05`],
    ['the end of the code', 'b8e7000000 0f'],
    ['its beginning', 'e7000000 0f05'],
    ['no instruction', '00e7000000 0f05'],
  ])('takes no %s', (_, hex) => {
    expect(findExitCode(code(hex))).toEqual([]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(findExitCode(Buffer.from([...bytes, 0xe7, 0, 0, 0])).every((at) => at >= 0)).toBe(true);
      }),
    );
  });
});
