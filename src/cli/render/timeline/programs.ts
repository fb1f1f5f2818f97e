// The lane of what ran: one process, and in it one program after the other. Where none is drawn, none ran.
import type { Frame } from './frame.ts';
import { widest, type Scale } from './scale.ts';
import type { ProgramSpan } from './story.ts';
import { el, rect, widthOf, words, type Area, type Svg } from './svg.ts';

export const programFills = { old: 'old', new: 'new', failed: 'failed', previous: 'violet' } as const;
/** The longest that fits is written. */
const names = {
  old: { runs: ['old program', 'old'], finishing: ['finishes its work', 'finishes'], starting: [] },
  new: { runs: ['new program', 'new'], starting: ['new program starts', 'starts'], finishing: [] },
  failed: { runs: ['new program fails', 'fails'], starting: [], finishing: [] },
  previous: {
    runs: ['previous program again', 'again'],
    starting: ['previous one starts again', 'starts'],
    finishing: [],
  },
} as const;

export function drawPrograms({ story, scale }: Frame, area: Area): Svg {
  return story.programs.map((span) => drawProgram(span, scale, area)).join('');
}

/** Paler while it finishes or has not come up. */
function drawProgram(span: ProgramSpan, scale: Scale, area: Area): Svg {
  const from = scale.x(span.fromMs);
  const width = scale.x(span.toMs) - from;
  const room = widest(scale, span);
  if (width <= 0) return '';
  const colour = programFills[span.program];
  const isPale = span.doing !== 'runs';
  const texts: readonly string[] = names[span.program][span.doing];
  const name = texts.find((text) => widthOf(text, 12) < room.width - 8);
  return el(
    'g',
    {},
    rect({ ...area, x: from, width }, { class: `f-${colour}`, opacity: isPale ? 0.35 : null }),
    name === undefined
      ? ''
      : words(room.x + room.width / 2, area.y + area.height / 2 + 4, {
          text: name,
          class: `middle strong ${isPale ? 'f-ink' : 'on'}`,
        }),
  );
}
