// What came of it: the target, the outcome, and the few numbers that matter.
import { basename } from 'node:path';
import type { RestartResult } from '../../../protocol/result.ts';
import { describeEnd } from '../../../protocol/program-end.ts';
import { formatMs } from '../table.ts';
import type { Frame } from './frame.ts';
import { longestQueue } from './queue.ts';
import { el, rect, shorten, widthOf, words, type Area, type Svg } from './svg.ts';

const outcomes: Readonly<Record<RestartResult['outcome'], { readonly text: string; readonly fill: string }>> = {
  restarted: { text: 'restarted in place', fill: 'new' },
  unchanged: { text: 'unchanged', fill: 'grey' },
  'rolled-back': { text: 'rolled back by itself', fill: 'violet' },
  stopped: { text: 'stopped by somebody else', fill: 'failed' },
  lost: { text: 'lost', fill: 'failed' },
};

interface Fact {
  readonly value: string;
  readonly label: string;
}

const factPx = 112;

export function drawHeader({ timeline }: Frame, area: Area): Svg {
  const { result } = timeline;
  const facts = factsOf(timeline);
  const room = area.width - facts.length * factPx - 20;
  const name = shorten(timeline.title, { widthPx: room - 190, sizePx: 21 });
  const { text, fill } = outcomes[result.outcome];
  const pillX = area.x + widthOf(name, 23) + 14;
  const pillWidth = widthOf(text, 12) + 22;
  return el(
    'g',
    {},
    words(area.x, area.y + 24, { text: name, class: 'title f-ink' }),
    rect({ x: pillX, y: area.y + 7, width: pillWidth, height: 22 }, { rx: 11, class: `f-${fill}` }),
    words(pillX + pillWidth / 2, area.y + 22, { text, class: 'middle strong on' }),
    words(area.x, area.y + 48, { text: shorten(aboutOf(timeline), { widthPx: room, sizePx: 12 }), class: 'f-quiet' }),
    ...facts.map(({ value, label }, index) => {
      const x = area.x + area.width - (facts.length - index - 1) * factPx;
      return (
        words(x, area.y + 24, { text: value, class: 'big end f-ink' }) +
        words(x, area.y + 44, { text: label, class: 'small end f-quiet' })
      );
    }),
  );
}

/** One line: what was asked for, that the process is the same, and what runs in it. Arguments may be secrets, and a picture is shown around. */
function aboutOf({ about, result }: Frame['timeline']): string {
  const { outcome, pid, before, after, failed } = result;
  const process = `pid ${pid}, ${outcome === 'lost' || outcome === 'stopped' ? 'gone' : 'the same'}`;
  if (about !== null) return about;
  if (failed !== null) return `${process} · the new program ${describeEnd(failed)}`;
  const [from, to] = [basename(before.exe), basename((after ?? before).exe)];
  return `${process} · ${from === to ? from : `${from} → ${to}`}`;
}

function factsOf(timeline: Frame['timeline']): readonly Fact[] {
  const { result, requests } = timeline;
  const { timingsMs, drain } = result;
  const waiting = longestQueue(timeline);
  return [
    { value: formatMs(timingsMs.hold), label: 'threads stopped' },
    ...(drain.end === 'skipped' ? [] : [{ value: formatMs(drain.ms), label: 'own shutdown' }]),
    ...(waiting === null ? [] : [{ value: String(waiting), label: 'waited, at most' }]),
    ...requestFacts(requests),
  ];
}

function requestFacts(requests: Frame['timeline']['requests']): readonly Fact[] {
  if (requests.length === 0) return [];
  const answered = requests.filter(({ end }) => end === 'answered');
  const slowestMs = Math.max(0, ...answered.map(({ startMs, endMs }) => endMs - startMs));
  return [
    { value: formatMs(slowestMs), label: 'slowest answer' },
    { value: String(requests.length - answered.length), label: `lost of ${requests.length}` },
  ];
}
