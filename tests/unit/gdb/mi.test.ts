// What gdb says: printed by the grammar of its manual and read back, and captured from gdb 13.1 as it is.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asTuple, listIn, parseMi, textIn, tupleIn, type MiValue } from '../../../src/gdb/mi.ts';
import { parseVersion } from '../../../src/gdb/find.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,11}$/);

const { value } = fc.letrec<{ value: MiValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }).map((fields) => new Map(Object.entries(fields))),
  ),
}));
const fields = fc.dictionary(name, value, { maxKeys: 4 }).map((entries) => new Map(Object.entries(entries)));
const token = fc.option(fc.nat(1_000_000));

const signs = { result: '^', exec: '*', status: '+', notify: '=' } as const;
const streams = { console: '~', target: '@', log: '&' } as const;

/** As gdb prints it, with the names that lists may have inside. */
function print(of: MiValue, named = false): string {
  if (typeof of === 'string') return cString(of);
  if (of instanceof Map) return `{${printFields(of)}}`;
  const values = of as readonly MiValue[];
  return `[${values.map((inner) => (named ? `frame=${print(inner)}` : print(inner))).join(',')}]`;
}

function printFields(of: ReadonlyMap<string, MiValue>): string {
  return Array.from(of, ([key, inner]) => `${key}=${print(inner, key.length % 2 === 0)}`).join(',');
}

/** What is not printable ASCII is octal, a byte each, but for the escapes that C has a letter for. */
function cString(text: string): string {
  const letters: Readonly<Record<string, string>> = {
    '\n': 'n',
    '\t': 't',
    '\r': 'r',
    '\b': 'b',
    '\f': 'f',
    '\v': 'v',
    '\x07': 'a',
    '\x1b': 'e',
    '"': '"',
    '\\': '\\',
  };
  const bytes = Array.from(Buffer.from(text), (byte) => {
    const letter = letters[String.fromCharCode(byte)];
    if (letter !== undefined) return `\\${letter}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

describe('what is printed', () => {
  test('as a record is read as it', () => {
    const kinds = fc.constantFrom(...(Object.keys(signs) as (keyof typeof signs)[]));
    fc.assert(
      fc.property(kinds, fc.tuple(token, name), fields, (kind, [number, word], all) => {
        const line = `${number ?? ''}${signs[kind]}${word}${all.size > 0 ? ',' : ''}${printFields(all)}`;
        expect(parseMi(line)).toEqual({ kind, token: number, class: word, fields: all });
      }),
    );
  });

  test('as a stream is read as it', () => {
    const kinds = fc.constantFrom(...(Object.keys(streams) as (keyof typeof streams)[]));
    fc.assert(
      fc.property(kinds, fc.string({ unit: 'binary' }), (kind, text) => {
        expect(parseMi(`${streams[kind]}${cString(text)}`)).toEqual({ kind, text: Buffer.from(text).toString() });
      }),
    );
  });
});

describe('no line is too much', () => {
  test('any text is a record of some kind', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        expect(parseMi(line).kind).toMatch(/./);
      }),
    );
  });

  test('a record that is cut off anywhere is read as far as it is one, or as unknown', () => {
    const line = '*stopped,reason="exec",frame={addr="0x1",args=[{name="a",value="\\"\\\\\\033"}]},core="0"';
    for (let length = 0; length < line.length; length++)
      expect(['exec', 'unknown']).toContain(parseMi(line.slice(0, length)).kind);
    expect(parseMi(line).kind).toBe('exec');
  });

  test('one that is nested deeper than anything gdb says is unknown', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{a=', '}'],
    ] as const) {
      const nested = (depth: number): string => `^done,a=${open.repeat(depth)}"b"${close.repeat(depth)}`;
      expect(parseMi(nested(30)).kind).toBe('result');
      expect(parseMi(nested(100_000)).kind).toBe('unknown');
    }
  });

  test('a long one takes no long time', () => {
    const began = performance.now();
    parseMi(`~"${'\\n\\"'.repeat(250_000)}"`);
    parseMi(`=${'a'.repeat(1_000_000)}`);
    parseMi(`^done,${'a="b",'.repeat(150_000)}`);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('what gdb 13.1 has said', () => {
  test('of a stop at a system call', () => {
    const line =
      '*stopped,reason="syscall-entry",disp="keep",bkptno="1",syscall-name="mmap",syscall-number="9",frame={addr="0x00007ffff7fc1929",func="??",args=[],arch="i386:x86-64"},thread-id="1",stopped-threads="all",core="1"';
    const stop = parseMi(line);
    if (stop.kind !== 'exec') throw new Error('not a stop');
    expect(textIn(stop.fields, 'reason')).toBe('syscall-entry');
    expect(textIn(tupleIn(stop.fields, 'frame'), 'addr')).toBe('0x00007ffff7fc1929');
    expect(listIn(tupleIn(stop.fields, 'frame'), 'args')).toEqual([]);
    expect(textIn(stop.fields, 'frame')).toBeUndefined();
  });

  test.each([
    ['(gdb) ', 'prompt'],
    ['(gdb)', 'prompt'],
    ['^running', 'result'],
    ['12^error,msg="No symbol table is loaded.  Use the \\"file\\" command."', 'result'],
    ['=thread-group-added,id="i1"', 'notify'],
    ['=library-loaded,id="/lib/a.so",ranges=[{from="0x1",to="0x2"}]', 'notify'],
    // A breakpoint of two places, before gdb 13: the second one has no name.
    ['=breakpoint-modified,bkpt={number="1",addr="<MULTIPLE>"},{number="1.1",addr="0x1"}', 'notify'],
    ['+download,{section=".text",section-size="6668"}', 'status'],
    ['&"warning: \\303\\274\\n"', 'log'],
    ['hello from the program', 'unknown'],
    ['^done,', 'unknown'],
    ['^done,a="b"c', 'unknown'],
    ['', 'unknown'],
  ])('%s', (line, kind) => {
    expect(parseMi(line).kind).toBe(kind);
  });

  test('bytes of other characters come back as text', () => {
    expect(parseMi('&"\\303\\274\\342\\202\\254"')).toEqual({ kind: 'log', text: 'ü€' });
  });

  test('registers', () => {
    const answer = parseMi(
      '7^done,register-values=[{number="0",value="0x7"},{number="57",value="0xffffffffffffffda"}]',
    );
    if (answer.kind !== 'result') throw new Error('no answer');
    const values = listIn(answer.fields, 'register-values').map((entry) => textIn(asTuple(entry), 'value'));
    expect(values).toEqual(['0x7', '0xffffffffffffffda']);
  });
});

test.each([
  ['GNU gdb (Debian 13.1-3) 13.1', 13, '13.1'],
  ['GNU gdb (Ubuntu 9.2-0ubuntu1~20.04.2) 9.2', 9, '9.2'],
  ['GNU gdb (GDB) 17.0.50.20260101-git', 17, '17.0.50.20260101-git'],
  ['GNU gdb (GDB) Red Hat Enterprise Linux 10.2-13.el9', 10, '10.2-13.el9'],
  ['GNU gdb (GDB) Fedora Linux 15.1-1.fc41', 15, '15.1-1.fc41'],
])('%s is version %i', (line, major, text) => {
  expect(parseVersion(`${line}\n`)).toEqual({ major, text });
});

test('what does not say that it is gdb has no version', () => {
  for (const line of ['', 'lldb version 19', 'GNU gdb', 'GNU gdb (GDB) x']) expect(parseVersion(line)).toBeNull();
});
