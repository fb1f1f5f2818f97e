// The lane of the accept queue: connections that the kernel has taken in, and that no program has accepted yet.
import type { Frame } from './frame.ts';
import { steps, stepPath, type Axes, type Sample } from './steps.ts';
import { el, line, widthOf, words, type Area, type Svg } from './svg.ts';

export function drawQueue({ timeline, scale, span }: Frame, area: Area): Svg {
  const lengths = queueLengths(timeline);
  const most = Math.max(0, ...lengths.map(({ value }) => value));
  const y = (value: number): number => area.y + area.height - (value / Math.max(1, most)) * (area.height - 6);
  const drawn = steps(lengths, { fromMs: span.fromMs, toMs: lengths.at(-1)?.atMs ?? span.toMs });
  const path = stepPath(drawn, { x: scale.x, y, pieces: scale.pieces });
  return el(
    'g',
    {},
    el('path', { d: path, class: 'f-queue', opacity: 0.85 }),
    drawEnd(lengths.at(-1), { x: scale.x, y, right: area.x + area.width }),
    line({ x: area.x - 4, y: y(most) }, { x: area.x, y: y(most) }, { class: 'line thin s-quiet' }),
    words(area.x - 8, y(most) + 4, { text: String(most), class: 'small end f-quiet' }),
  );
}

interface End extends Pick<Axes, 'x' | 'y'> {
  readonly right: number;
}

/** It is looked at for as long as hotexec watches: then the program that listens takes them out. */
function drawEnd(last: Sample | undefined, { x, y, right }: End): Svg {
  if (last === undefined || last.value === 0) return '';
  const texts = [`${last.value} waiting, now for the program to accept`, `${last.value} waiting`];
  const text = texts.find((candidate) => x(last.atMs) + 8 + widthOf(candidate, 11) < right);
  if (text === undefined) return '';
  return words(x(last.atMs) + 8, Math.max(y(last.value) + 10, y(0) - 36), { text, class: 'small f-quiet' });
}

/** Null: no listener was kept whose queue can be read. */
export function longestQueue(timeline: Frame['timeline']): number | null {
  const lengths = queueLengths(timeline);
  return lengths.length === 0 ? null : Math.max(...lengths.map(({ value }) => value));
}

function queueLengths({ moments }: Frame['timeline']): readonly Sample[] {
  return moments.flatMap(({ atMs, moment }) =>
    moment.what === 'sample' && moment.waiting !== null ? [{ atMs, value: moment.waiting }] : [],
  );
}
