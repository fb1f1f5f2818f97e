// The picture of a restart, or of several one below the other on one scale: lanes over one axis of time, and the holds under a lens.
// Pure: what happened goes in, an SVG document comes out that needs nothing from elsewhere and follows the reader's light or dark.
import type { Timeline } from '../../../front/timeline.ts';
import { drawBreaks, drawGrid } from './axis.ts';
import { frameFor, spanOf, type Frame } from './frame.ts';
import { drawHeader } from './header.ts';
import { drawLegend } from './legend.ts';
import { drawLens } from './lens.ts';
import { drawMarks } from './marks.ts';
import { drawPrograms } from './programs.ts';
import { drawQueue, longestQueue } from './queue.ts';
import { drawRequests } from './requests.ts';
import { drawStages } from './stages.ts';
import { el, escapeXml, rect, words, type Area, type Svg } from './svg.ts';
import { styleSheet } from './theme.ts';
import { drawThreads } from './threads.ts';

const width = 1120;
const margin = 28;
const plot = { x: 150, width: width - 150 - margin };
const lanePadding = 10;

export function drawTimelines(timelines: readonly Timeline[]): string {
  const lengthMs = Math.max(0, ...timelines.map(spanOf).map(({ fromMs, toMs }) => toMs - fromMs));
  let y = 0;
  const drawn = timelines.map((timeline) => {
    const figure = drawFigure(frameFor(timeline, plot, timelines.length === 1 ? null : lengthMs), y);
    y += figure.height;
    return figure.svg;
  });
  const height = y + 10;
  const title = timelines.map(({ result }) => `${result.target}: ${result.outcome}`).join(', ');
  const document = el(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': title,
    },
    el('title', {}, escapeXml(title)),
    styleSheet(),
    rect({ x: 0, y: 0, width, height }, { class: 'f-page', rx: 10 }),
    ...drawn,
  );
  return `${document}\n`;
}

interface Lane {
  readonly name: string;
  /** What it shows, in a word or two. */
  readonly about: string;
  readonly height: number;
  readonly draw: (frame: Frame, area: Area) => Svg;
}

const headerPx = 66;
const marksPx = 50;
const axisPx = 26;
const lensPx = 78;

function drawFigure(frame: Frame, top: number): { readonly svg: Svg; readonly height: number } {
  const lanes = lanesOf(frame.timeline);
  const header = { x: margin, y: top + 18, width: width - 2 * margin, height: headerPx };
  const marks = { ...plot, y: header.y + headerPx, height: marksPx };
  const lanesY = marks.y + marksPx;
  const lanesHeight = lanes.reduce((sum, lane) => sum + lane.height + lanePadding, 0) - lanePadding;
  const all = { ...plot, y: lanesY, height: lanesHeight };
  const hasLens = frame.story.holds.length > 0;
  const lens = { ...plot, y: lanesY + lanesHeight + axisPx, height: lensPx };
  let y = lanesY;
  const drawn = lanes.map((lane) => {
    const area = { ...plot, y, height: lane.height };
    y += lane.height + lanePadding;
    return drawLane(lane, frame, area);
  });
  const svg = el(
    'g',
    {},
    drawHeader(frame, header),
    ...lanes.map((_, index) => drawBand(lanes, index, lanesY)),
    drawGrid(frame, all),
    drawMarks(frame, marks, lanesY + lanesHeight),
    ...drawn,
    drawBreaks(frame, all),
    hasLens
      ? drawLens(frame, lens, lanesY + lanesHeight) +
          laneName('the stops', 'magnified', { ...lens, y: lens.y + 28, height: 50 })
      : '',
  );
  const bottom = lens.y + (hasLens ? lensPx : 0) + 24;
  return { svg: svg + drawLegend(frame, { ...plot, y: bottom, height: 0 }), height: bottom + 12 - top };
}

function lanesOf(timeline: Timeline): readonly Lane[] {
  const queue = { name: 'accept queue', about: 'waiting', height: 56, draw: drawQueue };
  const requests = { name: 'requests', about: 'how long each took', height: 170, draw: drawRequests };
  return [
    { name: 'hotexec', about: 'what it does', height: 24, draw: drawStages },
    { name: 'the process', about: 'what runs in it', height: 32, draw: drawPrograms },
    { name: 'threads', about: 'stopped in pink', height: 36, draw: drawThreads },
    ...(longestQueue(timeline) === null ? [] : [queue]),
    ...(timeline.requests.length === 0 ? [] : [requests]),
  ];
}

function drawBand(lanes: readonly Lane[], index: number, top: number): Svg {
  const before = lanes.slice(0, index).reduce((sum, lane) => sum + lane.height + lanePadding, 0);
  return rect({ ...plot, y: top + before, height: lanes[index]?.height ?? 0 }, { class: 'f-band', rx: 3 });
}

function drawLane(lane: Lane, frame: Frame, area: Area): Svg {
  return lane.draw(frame, area) + laneName(lane.name, lane.about, area);
}

function laneName(name: string, about: string, { y, height }: Area): Svg {
  const middle = height > 100 ? y + 16 : y + height / 2;
  return (
    words(margin, middle - 2, { text: name, class: 'lane f-ink' }) +
    words(margin, middle + 12, { text: about, class: 'small f-quiet' })
  );
}
