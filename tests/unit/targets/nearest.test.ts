import { expect, it } from 'vitest';
import { nearest } from '../../../src/targets/nearest.ts';

it.each([
  ['wbe', ['database', 'web'], 'web'],
  ['databse', ['database', 'web'], 'database'],
  ['web', ['shop-web-1', 'database'], 'shop-web-1'],
  ['cache', ['database', 'web'], undefined],
  ['web', [], undefined],
])('%s of %j', (wanted, names, found) => {
  expect(nearest(wanted, names)).toBe(found);
});
