// Real libraries, laid out in memory as ld.so would: by each hash table that linkers write.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDynamicSymbol, type ReadMemory } from '../../../src/elf/dynamic-symbol.ts';
import { parseElfHeader } from '../../../src/elf/header.ts';
import { needs } from '../../support/needs.ts';

const start = 0x7f00_0000_0000n;
const names = Array.from({ length: 200 }, (_, index) => `function_${index}`);
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotexec-elf-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('findDynamicSymbol', () => {
  needs({ command: 'gcc' }, { command: 'nm' });

  it.each(['gnu', 'sysv', 'both'])('finds every symbol as nm does (--hash-style=%s)', (style) => {
    const file = build(style);
    const image = loadImage(file);
    const read = reader(image);
    const known = execFileSync('nm', ['-D', '--defined-only', file], { encoding: 'utf8' });
    const symbols = [...known.matchAll(/^([\da-f]+) T (\w+)$/gm)];
    expect(symbols).toHaveLength(names.length);
    for (const [, value = '', name = ''] of symbols) {
      expect(findDynamicSymbol(read, start, name)).toBe(start + BigInt(`0x${value}`));
    }
    for (const absent of ['function_200', 'puts', '', 'function_']) {
      expect(findDynamicSymbol(read, start, absent)).toBeUndefined();
    }
  });

  it('never throws, and ends, whatever the memory holds', () => {
    const image = loadImage(build('both'));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), { maxLength: 40 }), (damage) => {
        const damaged = Buffer.from(image);
        for (const [at, byte] of damage) damaged[at] = byte;
        const found = findDynamicSymbol(reader(damaged), start, 'function_7');
        expect(['bigint', 'undefined']).toContain(typeof found);
      }),
    );
    expect(findDynamicSymbol(() => undefined, start, 'function_7')).toBeUndefined();
  });
});

function build(style: string): string {
  const source = join(directory, 'library.c');
  const file = join(directory, `${style}.so`);
  const body = names.map((name) => `void ${name}(void) {}`);
  writeFileSync(
    source,
    `int puts(const char *);\nvoid caller(void) __attribute__((visibility("hidden")));\nvoid caller(void) { puts(""); }\n${body.join('\n')}\n`,
  );
  execFileSync('gcc', ['-shared', '-fPIC', '-nostartfiles', `-Wl,--hash-style=${style}`, '-o', file, source]);
  return file;
}

function loadImage(file: string): Buffer {
  const bytes = readFileSync(file);
  const header = parseElfHeader(bytes);
  if (header.kind !== 'elf') throw new Error(header.kind);
  const image = Buffer.alloc(Math.max(...header.loads.map((load) => Number(load.address + load.memorySizeBytes))));
  for (const { offset, address, fileSizeBytes } of header.loads) {
    bytes.copy(image, Number(address), Number(offset), Number(offset + fileSizeBytes));
  }
  return image;
}

function reader(image: Buffer): ReadMemory {
  return (address, sizeBytes) => {
    const at = Number(address - start);
    return at < 0 || at + sizeBytes > image.length ? undefined : image.subarray(at, at + sizeBytes);
  };
}
