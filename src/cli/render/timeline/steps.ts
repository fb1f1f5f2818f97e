// A value that holds until the next one was seen, as an area under its steps.
import type { Piece } from './scale.ts';
import type { Span } from './story.ts';
import { pathThrough, type Point, type Svg } from './svg.ts';

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface Step extends Span {
  readonly value: number;
}

export function steps(samples: readonly Sample[], { fromMs, toMs }: Span): readonly Step[] {
  return samples.flatMap(({ atMs, value }, index) => {
    const step = {
      fromMs: Math.max(fromMs, atMs),
      toMs: Math.min(toMs, samples[index + 1]?.atMs ?? toMs),
      value,
    };
    return step.toMs > step.fromMs ? [step] : [];
  });
}

export interface Axes {
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
  readonly pieces: readonly Piece[];
}

/** One closed shape for each piece of the scale: nothing is drawn where time is left out. */
export function stepPath(all: readonly Step[], { x, y, pieces }: Axes): Svg {
  return pieces
    .map((piece) => {
      const inside = all.flatMap((step) => {
        const fromMs = Math.max(step.fromMs, piece.fromMs);
        const toMs = Math.min(step.toMs, piece.toMs);
        return toMs > fromMs ? [{ ...step, fromMs, toMs }] : [];
      });
      const [first, last] = [inside[0], inside.at(-1)];
      if (first === undefined || last === undefined) return '';
      const top = inside.flatMap((step): readonly Point[] => [
        { x: x(step.fromMs), y: y(step.value) },
        { x: x(step.toMs), y: y(step.value) },
      ]);
      return `${pathThrough([{ x: x(first.fromMs), y: y(0) }, ...top, { x: x(last.toMs), y: y(0) }])}Z`;
    })
    .join('');
}
