import { readFileSync, statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseElfHeader, type ElfHeader } from '../../../src/elf/header.ts';
import { describeTruncation } from '../../../src/elf/truncation.ts';
import { elfImage, type ElfImageOptions } from './elf-image.ts';

const PT_LOAD = 1;
const PT_INTERP = 3;
const INTERPRETER = '/lib64/ld-linux-x86-64.so.2';

function parsed(image: Buffer): ElfHeader {
  const reading = parseElfHeader(image);
  if (reading.kind !== 'elf') throw new Error(JSON.stringify(reading));
  return reading;
}

function dynamicProgram(options: ElfImageOptions = {}): Buffer {
  const segments = [
    { type: PT_INTERP, offset: 512, fileSizeBytes: INTERPRETER.length + 1 },
    { type: PT_LOAD, offset: 0, fileSizeBytes: 1024, flags: 4 },
    { type: PT_LOAD, offset: 1024, fileSizeBytes: 3072, flags: 5 },
  ];
  const image = elfImage({ segments, ...options });
  image.write(INTERPRETER, 512);
  return image;
}

describe('parseElfHeader', () => {
  it.each([
    { class: 64, isLittle: true },
    { class: 64, isLittle: false },
    { class: 32, isLittle: true },
    { class: 32, isLittle: false },
  ] as const)('reads class $class, little-endian $isLittle', (options) => {
    const header = parsed(dynamicProgram(options));
    expect(header).toMatchObject({
      class: options.class,
      endianness: options.isLittle ? 'little' : 'big',
      type: 'dyn',
      machine: 'x86-64',
      machineNumber: 62,
      entry: 0x1000n,
      interpreter: { path: INTERPRETER },
    });
    expect(
      header.loads.map(({ offset, fileSizeBytes, executable }) => [offset, fileSizeBytes, executable]),
    ).toStrictEqual([
      [0n, 1024n, false],
      [1024n, 3072n, true],
    ]);
  });

  it.each([
    [3, 'i386'],
    [40, 'arm'],
    [183, 'aarch64'],
    [243, 'riscv'],
    [9999, 'unknown'],
  ])('names machine %i %s', (machine, name) => {
    expect(parsed(elfImage({ machine })).machine).toBe(name);
  });

  it('knows a program without an interpreter', () => {
    expect(parsed(elfImage({ type: 2 }))).toMatchObject({ type: 'exec', interpreter: undefined, loads: [] });
  });

  it('has no interpreter path where it was not read or does not end', () => {
    expect(parsed(dynamicProgram().subarray(0, 520)).interpreter).toMatchObject({ offset: 512n, path: undefined });
    const unended = dynamicProgram();
    unended.write('x', 512 + INTERPRETER.length);
    expect(parsed(unended).interpreter?.path).toBeUndefined();
  });

  it('reads the program this test runs in', () => {
    expect(parsed(readFileSync(process.execPath).subarray(0, 65_536)).interpreter?.path).toMatch(/^\/lib.*\/ld-/);
  });

  it.each(['', '\u007FEL', '#!/bin/sh\n'])('says %j is not ELF', (text) => {
    expect(parseElfHeader(Buffer.from(text, 'latin1'))).toStrictEqual({ kind: 'not-elf' });
  });

  it.each([
    ['nothing behind the magic', elfImage().subarray(0, 4), 'the ELF class is missing'],
    ['an unknown class', Buffer.from('7f454c4603', 'hex'), 'the ELF class is 3'],
    ['an unknown byte order', Buffer.from('7f454c460207', 'hex'), 'the byte order is 7'],
    ['half a header', elfImage().subarray(0, 63), 'the header ends after 63 bytes'],
    [
      'half a program header table',
      dynamicProgram().subarray(0, 100),
      'the program headers end at byte 232, behind the 100 bytes there are',
    ],
  ])('says what is wrong with %s', (_, image, why) => {
    expect(parseElfHeader(image)).toStrictEqual({ kind: 'malformed', why });
  });

  it('never throws', () => {
    const image = dynamicProgram();
    const spoilt = fc.tuple(fc.nat(250), fc.uint8Array({ maxLength: 16 }), fc.nat(4096)).map(([at, bytes, size]) => {
      const copy = Buffer.from(image);
      copy.set(bytes, at);
      return copy.subarray(0, size);
    });
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([image.subarray(0, 5), bytes]));
    fc.assert(
      fc.property(fc.oneof(spoilt, noise), (buffer) => {
        const reading = parseElfHeader(buffer);
        expect(['elf', 'malformed', 'not-elf']).toContain(reading.kind);
        if (reading.kind === 'elf') describeTruncation(reading, buffer.length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('describeTruncation', () => {
  it('accepts a whole file', () => {
    expect(describeTruncation(parsed(dynamicProgram()), 4096)).toBeUndefined();
    const node = readFileSync(process.execPath).subarray(0, 65_536);
    expect(describeTruncation(parsed(node), statSync(process.execPath).size)).toBeUndefined();
  });

  it('names the first segment that is cut', () => {
    expect(describeTruncation(parsed(dynamicProgram()), 4095)).toBe(
      'PT_LOAD segment 1 ends at byte 4096, but the file has 4095 bytes',
    );
    expect(describeTruncation(parsed(dynamicProgram()), 1000)).toBe(
      'PT_LOAD segment 0 ends at byte 1024, but the file has 1000 bytes',
    );
  });

  it('names a cut interpreter', () => {
    const segments = [{ type: PT_INTERP, offset: 4000, fileSizeBytes: 200 }];
    expect(describeTruncation(parsed(elfImage({ segments })), 4096)).toBe(
      'PT_INTERP ends at byte 4200, but the file has 4096 bytes',
    );
  });

  it('does not mind a segment without bytes in the file', () => {
    const segments = [{ type: PT_LOAD, offset: 9000, fileSizeBytes: 0 }];
    expect(describeTruncation(parsed(elfImage({ segments })), 4096)).toBeUndefined();
  });
});
