// The property every parser here has: no text makes it throw anything but a ParseError.
import fc from 'fast-check';
import { ParseError } from '../../../src/procfs/parse-error.ts';

/**
 * Tries arbitrary texts, and the sample with a part of it replaced by an arbitrary text. Gives the text that made the
 * parser throw another error, undefined when none did.
 */
export function findCrash(parse: (text: string) => unknown, sample: string): string | undefined {
  const report = fc.check(
    fc.property(texts(sample), (text) => {
      try {
        parse(text);
      } catch (error) {
        return error instanceof ParseError;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  return report.counterexample?.[0];
}

function texts(sample: string): fc.Arbitrary<string> {
  const spoilt = fc
    .tuple(fc.nat(sample.length), fc.nat(20), fc.string({ unit: 'binary-ascii', maxLength: 20 }))
    .map(([at, length, text]) => sample.slice(0, at) + text + sample.slice(at + length));
  const cut = fc.nat(sample.length).map((at) => sample.slice(0, at));
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('utf8'));
  return fc.oneof(spoilt, cut, bytes, fc.string({ unit: 'binary-ascii', maxLength: 300 }));
}
