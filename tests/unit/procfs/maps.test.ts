// Captured on Linux 6.18 (x86-64), paths changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMapping, mappingAt, parseMaps, type Mapping } from '../../../src/procfs/maps.ts';
import { ParseError } from '../../../src/procfs/parse-error.ts';
import { findCrash } from './total.ts';

const CAT = `559502b53000-559502b55000 r--p 00000000 fe:00 247026                     /usr/bin/cat
559502b55000-559502b5a000 r-xp 00002000 fe:00 247026                     /usr/bin/cat
559502b5e000-559502b5f000 rw-p 0000a000 fe:00 247026                     /usr/bin/cat
55950d74e000-55950d76f000 rw-p 00000000 00:00 0                          [heap]
7ff90f96e000-7ff90f990000 rw-p 00000000 00:00 0 
7ff90fbd6000-7ff90fbdd000 r--s 00000000 fe:00 325737                     /usr/lib/gconv/gconv-modules.cache
7ff90fbe0000-7ff90fbe4000 r--p 00000000 00:00 0                          [vvar]
7ff90fbe6000-7ff90fbe8000 r-xp 00000000 00:00 0                          [vdso]
7fff6208a000-7fff620ab000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

function nameOf(path: string): Pick<Mapping, 'path' | 'deleted'> | undefined {
  const [mapping] = parseMaps(`1000-2000 rw-s 00000000 00:05 12                         ${path}\n`);
  return mapping && { path: mapping.path, deleted: mapping.deleted };
}

describe('parseMaps', () => {
  it('reads a line', () => {
    expect(parseMaps(CAT)[1]).toStrictEqual({
      start: 0x5595_02b5_5000n,
      end: 0x5595_02b5_a000n,
      perms: { read: true, write: false, execute: true, shared: false },
      offset: 0x2000n,
      device: 'fe:00',
      inode: 247_026n,
      path: '/usr/bin/cat',
      deleted: false,
    });
  });

  it('reads addresses of the upper half, shared mappings and nameless memory', () => {
    const maps = parseMaps(CAT);
    expect(maps).toHaveLength(10);
    expect(maps.at(-1)).toMatchObject({ start: 0xffff_ffff_ff60_0000n, perms: { read: false, execute: true } });
    expect(maps[5]?.perms.shared).toBe(true);
    expect(maps[4]?.path).toBeUndefined();
  });

  it.each([
    ['/opt/my app/run me', '/opt/my app/run me', false],
    ['/usr/sbin/nginx (deleted)', '/usr/sbin/nginx', true],
    ['/memfd:jit (deleted)', '/memfd:jit', true],
    [String.raw`/tmp/a\012b`, '/tmp/a\nb', false],
    [String.raw`/tmp/a\040b`, String.raw`/tmp/a\040b`, false],
    ['[anon:dalvik-main space]', '[anon:dalvik-main space]', false],
  ])('reads the name %j', (printed, path, deleted) => {
    expect(nameOf(printed)).toStrictEqual({ path, deleted });
  });

  it('gives nothing for a kernel thread', () => {
    expect(parseMaps('')).toStrictEqual([]);
  });

  it('gives back what was printed', () => {
    const mapping = fc.record(
      {
        start: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        end: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        perms: fc.record(
          { read: fc.boolean(), write: fc.boolean(), execute: fc.boolean(), shared: fc.boolean() },
          { noNullPrototype: true },
        ),
        offset: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
        device: fc.constantFrom('fe:00', '00:00', '103:05'),
        inode: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        path: fc.option(
          fc.string({ unit: 'binary-ascii' }).map((name) => `/${name.replaceAll('\\', '')}`),
          { nil: undefined },
        ),
        deleted: fc.constant(false),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(mapping), (maps) => {
        expect(parseMaps(maps.map(print).join(''))).toStrictEqual(maps);
      }),
    );
  });

  it('refuses a line that is no mapping', () => {
    expect(() => parseMaps('rw-p 00000000')).toThrow(ParseError);
    expect(() => parseMaps('1000-2000 rwzp 00000000 00:00 0')).toThrow('no mapping in "1000-2000 rwzp');
  });

  it('throws nothing but ParseError', () => {
    expect(findCrash(parseMaps, CAT)).toBeUndefined();
  });
});

describe('findMapping and mappingAt', () => {
  it('find by name and by address', () => {
    const maps = parseMaps(CAT);
    expect(findMapping(maps, '[vdso]')?.start).toBe(0x7ff9_0fbe_6000n);
    expect(findMapping(maps, '[none]')).toBeUndefined();
    expect(mappingAt(maps, 0x7ff9_0fbe_7fffn)?.path).toBe('[vdso]');
    expect(mappingAt(maps, 0x7ff9_0fbe_8000n)).toBeUndefined();
  });
});

function print({ start, end, perms, offset, device, inode, path = '' }: Mapping): string {
  const flags = `${perms.read ? 'r' : '-'}${perms.write ? 'w' : '-'}${perms.execute ? 'x' : '-'}${perms.shared ? 's' : 'p'}`;
  const name = path.replaceAll('\n', String.raw`\012`);
  const fields = `${start.toString(16)}-${end.toString(16)} ${flags} ${offset.toString(16).padStart(8, '0')} ${device} ${inode}`;
  return `${name === '' ? `${fields} ` : `${fields.padEnd(72)} ${name}`}\n`;
}
