import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShebang } from '../../../src/elf/script.ts';

function shebang(text: string): ReturnType<typeof parseShebang> {
  return parseShebang(Buffer.from(text));
}

describe('parseShebang', () => {
  it.each([
    ['#!/bin/sh\nexit\n', '/bin/sh', undefined],
    ['#!/bin/sh', '/bin/sh', undefined],
    ['#! \t/bin/sh \t\n', '/bin/sh', undefined],
    ['#!/usr/bin/env node\n', '/usr/bin/env', 'node'],
    ['#!/usr/bin/env -S node --enable-source-maps\t \n', '/usr/bin/env', '-S node --enable-source-maps'],
    ['#!/bin/sh -x', '/bin/sh', '-x'],
    ['#!/bin/sh\r\n', '/bin/sh\r', undefined],
    ['#!/bin/sh\0-x\n', '/bin/sh', undefined],
    ['#!interp\n', 'interp', undefined],
    // Without a line break the kernel does not trim: a lone space gives an empty argument.
    ['#!/bin/sh ', '/bin/sh', ''],
    ['#!/bin/sh -x  ', '/bin/sh', '-x  '],
  ])('reads %j', (text, interpreter, argument) => {
    expect(shebang(text)).toStrictEqual({ kind: 'script', interpreter, argument });
  });

  it('cuts the argument after 255 bytes, but never the interpreter', () => {
    expect(shebang(`#!/bin/sh ${'x'.repeat(300)}\n`)).toStrictEqual({
      kind: 'script',
      interpreter: '/bin/sh',
      argument: 'x'.repeat(245),
    });
    expect(shebang(`#!/${'x'.repeat(252)}\n`)).toMatchObject({ kind: 'script', interpreter: `/${'x'.repeat(252)}` });
    expect(shebang(`#!/${'x'.repeat(253)}\n`)).toStrictEqual({
      kind: 'unusable',
      why: 'the interpreter path does not end within the first 256 bytes',
    });
  });

  it.each(['#!', '#!\n', '#!  \t\n/bin/sh\n', `#!${' '.repeat(300)}`, '#!\0/bin/sh\n'])(
    'finds no interpreter in %j',
    (text) => {
      expect(shebang(text).kind).toBe('unusable');
    },
  );

  it.each(['', '#', '#/bin/sh\n', ' #!/bin/sh\n', '\u007FELF'])('says %j is no script', (text) => {
    expect(shebang(text)).toStrictEqual({ kind: 'not-script' });
  });

  it('gives back what was written', () => {
    const name = fc.stringMatching(/^\/[a-z/.]{1,60}$/);
    const argument = fc.option(fc.stringMatching(/^[a-z-]([a-z -]{0,60}[a-z])?$/), { nil: undefined });
    fc.assert(
      fc.property(name, argument, (interpreter, rest) => {
        const line = `#!${interpreter}${rest === undefined ? '' : ` ${rest}`}\nbody`;
        expect(shebang(line)).toStrictEqual({ kind: 'script', interpreter, argument: rest });
      }),
    );
  });

  it('never throws', () => {
    const byte = fc.oneof(fc.constantFrom(0, 9, 10, 32, 47, 97), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 300 }), (bytes) => {
        expect(['script', 'unusable']).toContain(parseShebang(Buffer.from([0x23, 0x21, ...bytes])).kind);
      }),
    );
  });
});
