import { describe, expect, it } from 'vitest';
import { scaleFor, ticks } from '../../../../src/cli/render/timeline/scale.ts';
import { tell } from '../../../../src/cli/render/timeline/story.ts';
import { graceful, longDrain, rolledBack, unchanged } from './timelines.ts';

const span = { fromMs: 0, toMs: 300 };

describe('the story', () => {
  it('of a graceful restart has its stages in order', () => {
    const { stages } = tell(graceful, span);
    expect(stages.map(({ name }) => name)).toEqual(['prepare', 'prove', 'drain', 'swap', 'start', 'verify']);
    expect(stages.find(({ name }) => name === 'drain')).toMatchObject({ fromMs: 33.5, toMs: 124 });
    expect(stages.find(({ name }) => name === 'swap')).toMatchObject({ fromMs: 124, toMs: 130 });
  });

  it('has no program between the end of the old and the start of the new', () => {
    expect(tell(graceful, span).programs).toEqual([
      { program: 'old', doing: 'runs', fromMs: 0, toMs: 33.6 },
      { program: 'old', doing: 'finishing', fromMs: 33.6, toMs: 124 },
      { program: 'new', doing: 'starting', fromMs: 130, toMs: 189 },
      { program: 'new', doing: 'runs', fromMs: 189, toMs: 300 },
    ]);
  });

  it('tells what was done while the threads stood still', () => {
    const [first, second] = tell(graceful, span).holds;
    expect(first).toMatchObject({ fromMs: 30, toMs: 33, threads: 7 });
    expect(first?.steps.map(({ name }) => name)).toEqual(['stop', 'dry run']);
    expect(second?.steps.map(({ name }) => name)).toEqual(['stop', 'dry run', 'execve', 'reset', 'let go']);
    expect(second?.steps.at(-1)).toMatchObject({ toMs: 129 + 0.5 });
  });

  it('of a bad version has the one that failed and the previous one', () => {
    const { programs, stages, marks } = tell(rolledBack, span);
    expect(programs.map(({ program }) => program)).toEqual(['old', 'old', 'failed', 'previous', 'previous']);
    expect(stages.map(({ name }) => name).slice(-4)).toEqual(['start', 'roll back', 'start', 'verify']);
    expect(marks.map(({ text }) => text)).toContain('execve, the previous');
  });

  it('of a failed restart has the old program all through', () => {
    expect(tell(unchanged, span).programs).toEqual([{ program: 'old', doing: 'runs', fromMs: 0, toMs: 300 }]);
  });
});

describe('the scale', () => {
  const room = { x: 100, width: 900 };

  it('is straight, and never goes back', () => {
    const { x } = scaleFor(span, tell(graceful, span).stages, room);
    expect([x(0), x(150), x(300)]).toEqual([100, 550, 1000]);
  });

  it('leaves out the middle of what takes too long, and keeps its ends', () => {
    const long = { fromMs: 0, toMs: 60_300 };
    const { x, pieces } = scaleFor(long, tell(longDrain, long).stages, room);
    expect(pieces).toHaveLength(2);
    expect(x(60_300)).toBeCloseTo(1000);
    expect(x(40)).toBeGreaterThan(x(33.5));
    const all = Array.from({ length: 604 }, (_, index) => x(index * 100));
    expect(all.every((value, index) => value >= (all[index - 1] ?? 0))).toBe(true);
  });

  it('has round values on it', () => {
    expect(ticks({ fromMs: -120, toMs: 430 }, 1)).toEqual([-100, 0, 100, 200, 300, 400]);
    expect(ticks({ fromMs: 0, toMs: 12 }, 50)).toEqual([0, 2, 4, 6, 8, 10, 12]);
  });
});
