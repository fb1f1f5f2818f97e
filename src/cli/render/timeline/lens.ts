// The holds under a lens: all threads stand still for so short a time that the picture above shows a stroke. All on one scale.
import { formatMs } from '../table.ts';
import type { Frame } from './frame.ts';
import type { Hold } from './story.ts';
import { el, pathThrough, rect, widthOf, words, type Area, type Svg } from './svg.ts';

const gapPx = 26;
const barPx = 24;
const fills: Readonly<Record<string, string>> = {
  stop: 'grey',
  'dry run': 'cyan',
  execve: 'held',
  reset: 'threads',
  'let go': 'new',
};

/** `fromY`: where the lanes end, and the light that goes through the lens begins. */
export function drawLens({ story, scale }: Frame, area: Area, fromY: number): Svg {
  const { holds } = story;
  const totalMs = holds.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  if (totalMs === 0) return '';
  const pxPerMs = (area.width - gapPx * (holds.length - 1)) / totalMs;
  let { x } = area;
  const drawn = holds.map((hold) => {
    const width = (hold.toMs - hold.fromMs) * pxPerMs;
    const all = drawHold(hold, { ...area, x, width }, { fromY, x: scale.x });
    x += width + gapPx;
    return all;
  });
  return drawn.join('');
}

interface Light {
  readonly fromY: number;
  readonly x: (ms: number) => number;
}

function drawHold(hold: Hold, area: Area, light: Light): Svg {
  const barY = area.y + area.height - barPx;
  const pxPerMs = area.width / (hold.toMs - hold.fromMs);
  const steps = hold.steps.map((step) => {
    const x = area.x + (step.fromMs - hold.fromMs) * pxPerMs;
    const width = (step.toMs - step.fromMs) * pxPerMs;
    const texts = [`${step.name} ${formatMs(step.toMs - step.fromMs)}`, step.name];
    const text = texts.find((candidate) => widthOf(candidate, 11) < width - 4);
    return (
      rect({ x, y: barY, width: width - 0.7, height: barPx }, { class: `f-${fills[step.name] ?? 'grey'}` }) +
      (text === undefined ? '' : words(x + width / 2, barY + 16, { text, class: 'small middle on strong' }))
    );
  });
  const many =
    hold.threads === 1
      ? 'the one thread stands'
      : `${hold.threads === 2 ? 'both' : `all ${hold.threads}`} threads stand`;
  const titles = [
    `${many} still for ${formatMs(hold.toMs - hold.fromMs)}`,
    `still for ${formatMs(hold.toMs - hold.fromMs)}`,
  ];
  const title = titles.find((candidate) => widthOf(candidate, 12) < area.width + gapPx) ?? '';
  const [from, to] = [light.x(hold.fromMs), Math.max(light.x(hold.toMs), light.x(hold.fromMs) + 2)];
  const cone = pathThrough([
    { x: from, y: light.fromY },
    { x: to, y: light.fromY },
    { x: area.x + area.width, y: barY },
    { x: area.x, y: barY },
  ]);
  return el(
    'g',
    {},
    el('path', { d: cone, class: 'f-held', opacity: 0.13 }),
    ...steps,
    words(area.x, barY - 7, { text: title, class: 'strong f-ink' }),
  );
}
