import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unescapeOctal } from '../../../src/procfs/escape.ts';

function mangle(text: string): string {
  return text.replaceAll(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

describe('unescapeOctal', () => {
  it('is the reverse of what mangle_path does', () => {
    const texts = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\\', '#', '0', '4', '1', 'a', 'ä') });
    fc.assert(
      fc.property(texts, (text) => {
        expect(unescapeOctal(mangle(text))).toBe(text);
      }),
    );
  });
});
