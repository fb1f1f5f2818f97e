import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, printableJson, quoteWord, quoteWords } from '../../../src/cli/render/escape.ts';

// oxlint-disable-next-line no-control-regex -- they are what must not come through
const dangerous = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ufeff]/;

describe('text from a target', () => {
  it.each([
    ['plain text', 'plain text'],
    ['héllo wörld ✓ 日本', 'héllo wörld ✓ 日本'],
    ['\u001b[2J\u001b]0;owned\u0007', String.raw`\x1b[2J\x1b]0;owned\x07`],
    ['\u009b31m', String.raw`\x9b31m`],
    ['a\nb\tc\rd', String.raw`a\nb\tc\rd`],
    ['user\u202egnp.exe', String.raw`user\u202egnp.exe`],
    ['zero\u200bwidth', String.raw`zero\u200bwidth`],
    ['tag\u{e0041}', String.raw`tag\U000e0041`],
    ['lone\ud800', String.raw`lone\ud800`],
  ])('%j is shown and not obeyed', (text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  it('can never speak to a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(dangerous);
        expect(quoteWord(text)).not.toMatch(dangerous);
        expect(printableJson(text)).not.toMatch(dangerous);
      }),
    );
  });
});

describe('a command line', () => {
  it('is quoted as a shell would want it', () => {
    expect(quoteWords(['nginx', '-g', 'daemon off;', '', "it's", 'a\nb\\'])).toBe(
      String.raw`nginx -g 'daemon off;' '' 'it'\''s' $'a\nb\\'`,
    );
  });

  it('is read by bash as the words it was', () => {
    const printable = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((word) => word.isWellFormed());
    const words = fc.sample(
      fc.oneof(printable, fc.constantFrom('a\nb', "'", '\\', '\\x41', '$HOME', '!', '\u001b[m', '~')),
      60,
    );
    const script = words.map((word) => `printf '%s\\0' ${quoteWord(word)}`).join('\n');
    const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
    expect(execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1)).toEqual(
      words,
    );
  });
});

it('JSON stays the value it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = printableJson({ value }, 2);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ value })));
    }),
  );
});
