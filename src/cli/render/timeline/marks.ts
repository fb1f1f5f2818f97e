// Moments: a line through all lanes, and above them what happened there. Two rows of words, so that neighbours do not cover each other.
import type { Frame } from './frame.ts';
import type { Mark } from './story.ts';
import { el, escapeXml, line, widthOf, words, type Area, type Svg } from './svg.ts';

const sizePx = 11;
const rowPx = 15;
const rows = 3;

interface Placed {
  readonly mark: Mark;
  readonly x: number;
  readonly left: number;
  /** From below; null: there is no room for the words. */
  readonly row: number | null;
}

/** `area`: where the words go; the lines go down to `bottom`. */
export function drawMarks({ story, scale }: Frame, area: Area, bottom: number): Svg {
  return placeMarks(story.marks, scale.x, area)
    .map(({ mark, x, left, row }) => {
      const y = area.y + area.height - (row ?? 0) * rowPx - 5;
      return el(
        'g',
        {},
        line({ x, y: y + 3 }, { x, y: bottom }, { class: 'line thin dashed s-quiet', opacity: 0.55 }),
        el('title', {}, escapeXml(mark.text)),
        row === null ? '' : words(left, y, { text: mark.text, class: 'small f-ink' }),
      );
    })
    .join('');
}

/** From the right to the left, each in the lowest row that has room for its words; they begin at their line. */
export function placeMarks(marks: readonly Mark[], x: (ms: number) => number, area: Area): readonly Placed[] {
  const taken: number[] = Array.from({ length: rows }, () => area.x + area.width);
  const placed: Placed[] = [];
  for (const mark of marks.toReversed()) {
    const at = x(mark.atMs);
    const width = widthOf(mark.text, sizePx) + 8;
    const left = Math.min(at - 1, area.x + area.width - width);
    const free = taken.findIndex((edge) => left + width <= edge);
    // Without room for its words it is a line.
    if (free === -1) {
      placed.push({ mark, x: at, left, row: null });
      continue;
    }
    // A line that goes up to a higher row must not cross the words below it.
    for (let below = 0; below <= free; below += 1) taken[below] = Math.min(taken[below] ?? left, left - 3);
    placed.push({ mark, x: at, left, row: free });
  }
  return placed.toReversed();
}
