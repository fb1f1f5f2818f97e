import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseElfHeader } from '../../../src/elf/header.ts';
import { runPaths } from '../../../src/elf/run-path.ts';
import { elfImage } from './elf-image.ts';

const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_STRTAB, DT_RPATH, DT_RUNPATH] = [0, 5, 15, 29];
const stringsAt = 2048;

/** Loaded at address 0 from offset 0, so that offsets are addresses. */
function program(entries: readonly (readonly [tag: number, value: number])[], strings = ''): Buffer {
  const image = elfImage({
    segments: [
      { type: PT_LOAD, offset: 0, fileSizeBytes: 4096 },
      { type: PT_DYNAMIC, offset: 1024, fileSizeBytes: (entries.length + 1) * 16 },
    ],
  });
  for (const [index, [tag, value]] of [...entries, [DT_NULL, 0] as const].entries()) {
    image.writeBigUInt64LE(BigInt(tag), 1024 + index * 16);
    image.writeBigUInt64LE(BigInt(value), 1024 + index * 16 + 8);
  }
  image.write(strings, stringsAt, 'latin1');
  return image;
}

function pathsIn(image: Buffer): readonly string[] {
  const header = parseElfHeader(image);
  return header.kind === 'elf' ? runPaths(header, (offset, size) => image.subarray(offset, offset + size)) : [];
}

describe('runPaths', () => {
  it('reads both kinds, wherever they stand in the string table', () => {
    const entries = [
      [DT_RUNPATH, 1],
      [DT_STRTAB, stringsAt],
      [DT_RPATH, 16],
    ] as const;
    expect(pathsIn(program(entries, '\0$ORIGIN/../lib\0/opt/lib\0'))).toStrictEqual(['$ORIGIN/../lib', '/opt/lib']);
  });

  it.each<[what: string, image: Buffer]>([
    ['a static program', elfImage()],
    ['one without any', program([[DT_STRTAB, stringsAt]])],
    ['one without strings', program([[DT_RPATH, 1]])],
    [
      'one whose strings are loaded from nowhere',
      program([
        [DT_RPATH, 1],
        [DT_STRTAB, 9999],
      ]),
    ],
  ])('finds none in %s', (_, image) => {
    expect(pathsIn(image)).toStrictEqual([]);
  });

  it('finds none in a shell', () => {
    expect(pathsIn(readFileSync('/bin/sh'))).toStrictEqual([]);
  });

  it('takes whatever bytes there are', () => {
    const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(DT_STRTAB, DT_RPATH, DT_RUNPATH), word), { maxLength: 8 }),
        (entries) => {
          const image = program(entries.map(([tag]) => [tag, 0]));
          for (const [index, [, value]] of entries.entries()) image.writeBigUInt64LE(value, 1024 + index * 16 + 8);
          expect(pathsIn(image).length).toBeLessThanOrEqual(entries.length);
        },
      ),
    );
  });
});
