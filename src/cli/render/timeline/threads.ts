// The lane of threads: how many the process has, and when all of them stand still.
import type { Frame } from './frame.ts';
import { steps, stepPath, type Sample } from './steps.ts';
import { el, line, rect, words, type Area, type Svg } from './svg.ts';

export function drawThreads({ timeline, story, scale, span }: Frame, area: Area): Svg {
  const counts = threadCounts(timeline);
  const most = Math.max(1, ...counts.map(({ value }) => value), ...story.holds.map(({ threads }) => threads));
  const y = (value: number): number => area.y + area.height - (value / most) * (area.height - 4);
  const path = stepPath(steps(counts, span), { x: scale.x, y, pieces: scale.pieces });
  const holds = story.holds.map((hold) => {
    const from = scale.x(hold.fromMs);
    const width = Math.max(2, scale.x(hold.toMs) - from);
    return rect({ x: from, y: area.y, width, height: area.height }, { class: 'f-held' });
  });
  return el(
    'g',
    {},
    el('path', { d: path, class: 'f-threads', opacity: 0.55 }),
    ...holds,
    line({ x: area.x - 4, y: y(most) }, { x: area.x, y: y(most) }, { class: 'line thin s-quiet' }),
    words(area.x - 8, y(most) + 4, { text: String(most), class: 'small end f-quiet' }),
  );
}

/** At the end of its hold a program is known to have as many as were stopped; an exec leaves one. */
function threadCounts({ moments, phases, result }: Frame['timeline']): readonly Sample[] {
  const samples = moments.flatMap(({ atMs, moment }): readonly Sample[] => {
    if (moment.what === 'sample') return [{ atMs, value: moment.threads }];
    return moment.what === 'held' ? [{ atMs: atMs - moment.ms, value: moment.threads }] : [];
  });
  const execs = phases.filter(({ phase }) => phase === 'reset').map(({ atMs }) => ({ atMs, value: 1 }));
  const ends = result.outcome === 'lost' ? [{ atMs: phases.at(-1)?.atMs ?? 0, value: 0 }] : [];
  const all = [...samples, ...execs, ...ends].toSorted((a, b) => a.atMs - b.atMs);
  const first = all[0];
  return first === undefined ? [] : [{ atMs: Number.NEGATIVE_INFINITY, value: first.value }, ...all];
}
