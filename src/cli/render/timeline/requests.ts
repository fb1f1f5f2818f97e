// The lane of requests: a line each, from its start to its end, as high as it took long. Who waited in the queue stands out as a fan of
// lines that end when the new program has come up; who was refused is a cross on the ground.
import type { TimelineRequest } from '../../../front/timeline.ts';
import type { Frame } from './frame.ts';
import { programFills } from './programs.ts';
import type { ProgramSpan } from './story.ts';
import { el, line, words, type Area, type Svg } from './svg.ts';

export function drawRequests({ timeline, story, scale, span }: Frame, area: Area): Svg {
  const shown = timeline.requests.filter(({ startMs, endMs }) => endMs > span.fromMs && startMs < span.toMs);
  const slowestMs = Math.max(1, ...shown.map(({ startMs, endMs }) => endMs - startMs));
  const topMs = roundUp(slowestMs);
  const y = (ms: number): number => area.y + area.height - 7 - (ms / topMs) * (area.height - 16);
  const colours = programColours(story.programs.map(({ program }) => program));
  const marks = [topMs, topMs / 2].map((ms) =>
    el(
      'g',
      {},
      line({ x: area.x, y: y(ms) }, { x: area.x + area.width, y: y(ms) }, { class: 'line thin s-grid' }),
      words(area.x - 8, y(ms) + 4, { text: `${ms} ms`, class: 'small end f-quiet' }),
    ),
  );
  const inside = shown.filter(({ endMs }) => endMs < span.toMs);
  const answered = inside.filter(({ end }) => end === 'answered');
  const lost = inside.filter(({ end }) => end !== 'answered');
  return el(
    'g',
    {},
    ...marks,
    ...answered.map((request) => drawAnswered(request, colours[request.by ?? 0] ?? 'new', { scale, y })),
    ...lost.map((request) => drawLost(request, { scale, y })),
  );
}

interface Axes {
  readonly scale: Frame['scale'];
  readonly y: (ms: number) => number;
}

function drawAnswered({ startMs, endMs }: TimelineRequest, colour: string, { scale, y }: Axes): Svg {
  const height = y(endMs - startMs);
  const to = { x: scale.x(endMs), y: height };
  return (
    line({ x: scale.x(startMs), y: height }, to, { class: `line s-${colour}`, opacity: 0.45 }) +
    el('circle', { cx: to.x, cy: to.y, r: 2, class: `f-${colour}` })
  );
}

function drawLost({ startMs, endMs }: TimelineRequest, { scale, y }: Axes): Svg {
  const height = y(endMs - startMs);
  const x = scale.x(endMs);
  const cross = `M${x - 3} ${height - 3}l6 6m0 -6l-6 6`;
  return (
    line({ x: scale.x(startMs), y: height }, { x, y: height }, { class: 'line s-failed', opacity: 0.6 }) +
    el('path', { d: cross, class: 'line s-failed' })
  );
}

/** Programs in the order in which they answered; one that failed answered nobody. */
function programColours(programs: readonly ProgramSpan['program'][]): readonly string[] {
  return [...new Set(programs)].filter((program) => program !== 'failed').map((program) => programFills[program]);
}

function roundUp(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return ([1, 1.5, 2, 3, 4, 6, 8, 10].find((factor) => factor * power >= ms) ?? 10) * power;
}
