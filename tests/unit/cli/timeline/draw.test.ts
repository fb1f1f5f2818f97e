import { describe, expect, it } from 'vitest';
import { drawTimelines } from '../../../../src/cli/render/timeline/draw.ts';
import { parseSvg, type SvgElement } from '../../../support/svg.ts';
import { all, graceful, longDrain, rolledBack, withRequests } from './timelines.ts';

const numbers = ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'width', 'height', 'r'] as const;

function coordinates({ attributes }: SvgElement): readonly number[] {
  const plain = numbers.flatMap((name) => (attributes[name] === undefined ? [] : [Number(attributes[name])]));
  return [
    ...plain,
    ...(attributes['d'] ?? '')
      .split(/[a-zA-Z\s]+/)
      .filter(Boolean)
      .map(Number),
  ];
}

const heightOf = (svg: string): number => Number(parseSvg(svg)[0]?.attributes['height']);

describe.each(all)('the picture of a restart, %s', (_, timeline) => {
  const elements = parseSvg(drawTimelines([timeline]));
  const [root] = elements;
  const [width, height] = [Number(root?.attributes['width']), Number(root?.attributes['height'])];

  it('is well formed, and as large as it says', () => {
    expect(root?.name).toBe('svg');
    expect(root?.attributes['viewBox']).toBe(`0 0 ${width} ${height}`);
  });

  it('has nothing outside of itself', () => {
    const outside = elements.filter((element) =>
      coordinates(element).some((value) => !(value >= -6 && value <= Math.max(width, height))),
    );
    expect(outside).toEqual([]);
    const beside = elements.filter(
      ({ attributes }) => Number(attributes['x'] ?? 0) + Number(attributes['width'] ?? 0) > width + 0.1,
    );
    expect(beside).toEqual([]);
  });

  it('needs nothing from elsewhere', () => {
    expect(drawTimelines([timeline])).not.toMatch(/href|url\(|@import|<script/);
  });
});

it('three are drawn one below the other', () => {
  const three = heightOf(drawTimelines([graceful, withRequests, rolledBack]));
  expect(three).toBeGreaterThan(heightOf(drawTimelines([graceful])) + heightOf(drawTimelines([rolledBack])));
});

it('words of others are shown and not obeyed', () => {
  const title = 'docker/<script>"&\u001b]0;\u202e\uffff';
  const exe = '/bin/<image href="x"/>';
  const drawn = drawTimelines([
    {
      ...graceful,
      title,
      result: { ...graceful.result, target: title, before: { ...graceful.result.before, exe }, after: null },
    },
  ]);
  parseSvg(drawn);
  expect(drawn).toContain(String.raw`docker/&lt;script&gt;&quot;&amp;\x1b]0;\u202e`);
  expect(drawn).not.toContain('<script');
  expect(drawn).not.toContain('<image');
});

it('arguments are not shown: they may be secrets, and a picture is shown around', () => {
  const before = { exe: '/usr/bin/app', argv: ['app', '--password=hunter2'], cwd: '/' };
  const result = { ...graceful.result, before, after: before };
  expect(drawTimelines([{ ...graceful, result }])).not.toContain('hunter2');
});

it('a wait that would leave no room for the rest is cut, and that is said', () => {
  expect(drawTimelines([longDrain])).toMatch(/>\d+\.\d s left out</);
  expect(drawTimelines([graceful])).not.toContain('left out');
});

it('who was answered is a dot, who was not is a cross', () => {
  const elements = parseSvg(drawTimelines([withRequests]));
  const crosses = elements.filter(({ name, attributes }) => name === 'path' && attributes['class'] === 'line s-failed');
  const dots = elements.filter(({ name, attributes }) => name === 'circle' && attributes['r'] === '2');
  // One more is in the legend.
  expect([crosses.length, dots.length]).toEqual([3, 2]);
});

it('light and dark are both there', () => {
  expect(drawTimelines([graceful])).toContain('@media (prefers-color-scheme: dark)');
});
