// Time: round values below all lanes, a faint line through them for each, and a break where time is left out.
import { formatMs } from '../table.ts';
import type { Frame } from './frame.ts';
import { gapPx, ticks } from './scale.ts';
import { el, line, pathThrough, rect, words, type Area, type Svg } from './svg.ts';

/** What is left out is named below its break. */
const besideBreakPx = 75;

/** `area`: the lanes; the values go below them. */
export function drawGrid({ scale }: Frame, area: Area): Svg {
  const bottom = area.y + area.height;
  return scale.pieces
    .flatMap((piece) => ticks(piece, scale.pxPerMs))
    .filter((ms) => scale.pieces.slice(1).every((piece) => Math.abs(scale.x(ms) - piece.x) > besideBreakPx))
    .map((ms) => {
      const x = scale.x(ms);
      return (
        line({ x, y: area.y }, { x, y: bottom }, { class: 'line thin s-grid' }) +
        words(x, bottom + 15, { text: ms === 0 ? '0' : label(ms), class: 'small middle f-quiet' })
      );
    })
    .join('');
}

function label(ms: number): string {
  if (Math.abs(ms) >= 10_000) return `${Number((ms / 1000).toFixed(3))} s`;
  return `${Number(ms.toFixed(2))} ms`;
}

/** Over the lanes: what is left out is not there. */
export function drawBreaks({ scale }: Frame, area: Area): Svg {
  return scale.pieces
    .slice(1)
    .map((piece, index) => {
      const before = scale.pieces[index];
      const x = piece.x - gapPx;
      const leftOutMs = piece.fromMs - (before?.toMs ?? piece.fromMs);
      return el(
        'g',
        {},
        rect({ ...area, x: x + 2, width: gapPx - 4 }, { class: 'f-page' }),
        edge(x + 2, area),
        edge(x + gapPx - 2, area),
        words(x + gapPx / 2, area.y + area.height + 15, {
          text: `${formatMs(leftOutMs)} left out`,
          class: 'small middle f-quiet',
        }),
      );
    })
    .join('');
}

/** A torn edge. */
function edge(x: number, { y, height }: Area): Svg {
  const points = Array.from({ length: Math.floor(height / 6) + 1 }, (_, index) => ({
    x: x + (index % 2 === 0 ? -2 : 2),
    y: Math.min(y + height, y + index * 6),
  }));
  return el('path', { d: pathThrough(points), class: 'line thin s-quiet' });
}
