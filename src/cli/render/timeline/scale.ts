// From milliseconds to pixels. One straight scale, but for waits in which nothing happens: of a drain or a probation that would leave no
// room for the rest, the middle is left out, and the gap is drawn as such.
import type { Stage, Span } from './story.ts';

export interface Scale {
  readonly x: (ms: number) => number;
  readonly pieces: readonly Piece[];
  readonly pxPerMs: number;
}

/** A stretch of time that is drawn; between two pieces something is left out. */
export interface Piece extends Span {
  readonly x: number;
  readonly width: number;
}

export interface Room {
  readonly x: number;
  readonly width: number;
}

export const gapPx = 18;
/** A wait is as long as all the rest at most, times this. */
const keptPart = 1.5;
const leastKeptMs = 100;

/** `stages`: where something may be left out. */
export function scaleFor(all: Span, stages: readonly Stage[], room: Room): Scale {
  const spans = without(all, leftOut(all, stages));
  const shownMs = spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const pxPerMs = (room.width - gapPx * (spans.length - 1)) / Math.max(shownMs, 0.001);
  const pieces: Piece[] = [];
  let { x } = room;
  for (const span of spans) {
    const width = (span.toMs - span.fromMs) * pxPerMs;
    pieces.push({ ...span, x, width });
    x += width + gapPx;
  }
  return { pieces, pxPerMs, x: (ms) => place(ms, pieces) };
}

function place(ms: number, pieces: readonly Piece[]): number {
  const piece = pieces.find(({ toMs }) => ms <= toMs) ?? pieces.at(-1);
  if (piece === undefined) return 0;
  const within = Math.min(Math.max(ms, piece.fromMs), piece.toMs);
  const x = piece.x + ((within - piece.fromMs) / Math.max(piece.toMs - piece.fromMs, 0.001)) * piece.width;
  // In what is left out: in the middle of the gap.
  return ms < piece.fromMs && piece !== pieces[0] ? piece.x - gapPx / 2 : x;
}

/** The widest part of a span that is drawn: where its name goes. */
export function widest({ pieces, x }: Scale, { fromMs, toMs }: Span): Room {
  const parts = pieces.map((piece) => {
    const from = x(Math.max(fromMs, piece.fromMs));
    return { x: from, width: Math.max(0, x(Math.min(toMs, piece.toMs)) - from) };
  });
  return parts.reduce((best, part) => (part.width > best.width ? part : best));
}

const waiting: ReadonlySet<Stage['name']> = new Set(['prepare', 'upload', 'drain', 'start', 'verify']);

function leftOut({ fromMs, toMs }: Span, stages: readonly Stage[]): readonly Span[] {
  return stages.flatMap((stage) => {
    const lengthMs = stage.toMs - stage.fromMs;
    const keptMs = Math.max(leastKeptMs, keptPart * (toMs - fromMs - lengthMs));
    if (!waiting.has(stage.name) || lengthMs < 1.5 * keptMs) return [];
    return [{ fromMs: stage.fromMs + keptMs / 2, toMs: stage.toMs - keptMs / 2 }];
  });
}

function without(all: Span, gaps: readonly Span[]): readonly Span[] {
  const spans: Span[] = [];
  let { fromMs } = all;
  for (const gap of gaps) {
    spans.push({ fromMs, toMs: gap.fromMs });
    fromMs = gap.toMs;
  }
  return [...spans, { fromMs, toMs: all.toMs }];
}

const steps = [1, 2, 5] as const;

/** Round values, some eight to a picture. */
export function ticks({ fromMs, toMs }: Span, pxPerMs: number): readonly number[] {
  const least = 95 / pxPerMs;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (steps.find((factor) => factor * power >= least) ?? 10) * power;
  const first = Math.ceil(fromMs / step);
  return Array.from({ length: Math.max(0, Math.floor(toMs / step) - first + 1) }, (_, index) => (first + index) * step);
}
