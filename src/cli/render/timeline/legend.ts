// What the marks of the request lane mean. All else is named where it is drawn.
import type { Frame } from './frame.ts';
import { programFills } from './programs.ts';
import { el, widthOf, words, type Area, type Svg } from './svg.ts';

const names = {
  old: 'answered by the old program',
  new: 'by the new one',
  previous: 'by the previous one, again',
} as const;

export function drawLegend({ timeline, story }: Frame, area: Area): Svg {
  if (timeline.requests.length === 0) return '';
  const programs = [...new Set(story.programs.map(({ program }) => program))];
  const entries = programs.flatMap((program) =>
    program === 'failed' ? [] : [{ text: names[program], fill: programFills[program] }],
  );
  const lost = timeline.requests.some(({ end }) => end !== 'answered')
    ? [{ text: 'refused or cut off', fill: null }]
    : [];
  let { x } = area;
  const drawn = [...entries, ...lost].map(({ text, fill }) => {
    const at = x;
    x += widthOf(text, 11) + 36;
    const mark =
      fill === null
        ? el('path', { d: `M${at} ${area.y - 7}l6 6m0 -6l-6 6`, class: 'line s-failed' })
        : el('circle', { cx: at + 3, cy: area.y - 4, r: 3, class: `f-${fill}` });
    return mark + words(at + 12, area.y, { text, class: 'small f-quiet' });
  });
  return el('g', {}, ...drawn);
}
