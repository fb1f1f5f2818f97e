import { expect, it } from 'vitest';
import { placeMarks } from '../../../../src/cli/render/timeline/marks.ts';
import { widthOf } from '../../../../src/cli/render/timeline/svg.ts';

const area = { x: 150, y: 0, width: 900, height: 50 };
const at = (atMs: number, text = 'execve'): { readonly atMs: number; readonly text: string } => ({ atMs, text });
const rows = (...marks: readonly ReturnType<typeof at>[]): readonly (number | null)[] =>
  placeMarks(marks, (ms) => ms, area).map(({ row }) => row);

it('words stand in the lowest row as long as they have room', () => {
  expect(rows(at(200), at(300), at(400))).toEqual([0, 0, 0]);
});

it('words beside others go up', () => {
  expect(rows(at(200), at(210), at(220))).toEqual([2, 1, 0]);
});

it('where there is no room for words there is the line alone', () => {
  expect(rows(at(200), at(203), at(206), at(209))).toEqual([null, 2, 1, 0]);
});

it('words at the right end stay inside', () => {
  const [placed] = placeMarks([at(1049, 'bind answered')], (ms) => ms, area);
  expect((placed?.left ?? 0) + widthOf('bind answered', 11)).toBeLessThan(1050);
});
