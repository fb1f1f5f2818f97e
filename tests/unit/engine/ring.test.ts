import { expect, test } from 'vitest';
import { parseRing } from '../../../src/engine/handover/ring.ts';

test('a ring tells its size and how much was ever submitted to it', () => {
  const fdinfo =
    'pos:\t0\nflags:\t02000002\nmnt_id:\t17\nino:\t39\nSqMask:\t0xff\nSqHead:\t2\nSqTail:\t2\nCachedSqHead:\t2\n';
  expect(parseRing(fdinfo)).toEqual({ entries: 256, submitted: 2 });
});

test('one that does not tell may have been used for anything', () => {
  expect(parseRing('pos:\t0\nflags:\t02\n')).toEqual({ entries: 0, submitted: Number.POSITIVE_INFINITY });
});
