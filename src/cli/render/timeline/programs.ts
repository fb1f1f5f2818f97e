// The lane of what ran: one process, and in it one program after the other. Where none is drawn, none ran.
import type { Frame } from './frame.ts';
import type { ProgramSpan } from './story.ts';
import { el, rect, widthOf, words, type Area, type Svg } from './svg.ts';

const fills = { old: 'old', new: 'new', failed: 'failed', previous: 'old' } as const;
const names = {
  old: { runs: 'old program', finishing: 'finishes its work', starting: '' },
  new: { runs: 'new program', starting: 'starts', finishing: '' },
  failed: { runs: 'new program fails', starting: '', finishing: '' },
  previous: { runs: 'previous program again', starting: 'starts again', finishing: '' },
} as const;

export function drawPrograms({ story, scale }: Frame, area: Area): Svg {
  return story.programs.map((span) => drawProgram(span, scale.x, area)).join('');
}

/** Paler while it finishes or has not come up. */
function drawProgram(span: ProgramSpan, x: (ms: number) => number, area: Area): Svg {
  const from = x(span.fromMs);
  const width = x(span.toMs) - from;
  if (width <= 0) return '';
  const colour = fills[span.program];
  const isPale = span.doing !== 'runs';
  const name = names[span.program][span.doing];
  return el(
    'g',
    {},
    rect({ ...area, x: from, width }, { class: `f-${colour}`, opacity: isPale ? 0.35 : null }),
    widthOf(name, 12) < width - 8
      ? words(from + width / 2, area.y + area.height / 2 + 4, {
          text: name,
          class: `middle strong ${isPale ? 'f-ink' : 'on'}`,
        })
      : '',
  );
}
