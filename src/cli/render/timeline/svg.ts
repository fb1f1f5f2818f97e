// SVG as text: attributes and words are escaped here and nowhere else. Numbers are drawn to a tenth of a pixel.
import { escapeText } from '../escape.ts';

export type Svg = string;

type Attributes = Readonly<Record<string, string | number | null>>;

/** An element with what is in it; an attribute that is null is left out. */
export function el(name: string, attributes: Attributes, ...children: readonly Svg[]): Svg {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === null ? '' : ` ${key}="${typeof value === 'number' ? round(value) : escapeXml(value)}"`,
  );
  const open = `<${name}${written.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

export function words(x: number, y: number, { text, ...attributes }: { readonly text: string } & Attributes): Svg {
  return el('text', { x, y, ...attributes }, escapeXml(text));
}

export function rect(area: Area, attributes: Attributes = {}): Svg {
  const { x, y, width, height } = area;
  return el('rect', { x, y, width: Math.max(0, width), height: Math.max(0, height), ...attributes });
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function line(from: Point, to: Point, attributes: Attributes = {}): Svg {
  return el('line', { x1: from.x, y1: from.y, x2: to.x, y2: to.y, ...attributes });
}

/** `M0 0L10 5` */
export function pathThrough(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
}

/** What a target or a file name says is shown and not obeyed, and XML knows no control characters. */
export function escapeXml(text: string): string {
  return escapeText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd');
}

/** Of a letter's height. */
const widthPart = 0.59;

/** As wide as words mostly are in a sans-serif face, px: none is measured here. */
export function widthOf(text: string, sizePx: number): number {
  return text.length * sizePx * widthPart;
}

export function shorten(
  text: string,
  { widthPx, sizePx }: { readonly widthPx: number; readonly sizePx: number },
): string {
  const room = Math.floor(widthPx / (sizePx * widthPart));
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
