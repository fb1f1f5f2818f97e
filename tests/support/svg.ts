// An SVG document, read as strictly as a browser reads it: one root, every element closed, every attribute quoted, every & an entity.
import { expect } from 'vitest';

export interface SvgElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const tag = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/gy;
const text = /(?:[^<&]|&(?:amp|lt|gt|quot);)+/gy;

/** All elements, in order; throws at what is not well formed. */
export function parseSvg(document: string): readonly SvgElement[] {
  const elements: SvgElement[] = [];
  const open: string[] = [];
  for (let at = 0; at < document.length;) {
    text.lastIndex = at;
    tag.lastIndex = at;
    const found = tag.exec(document);
    const read = found ?? text.exec(document);
    if (read === null) throw new Error(`not well formed: ${document.slice(at, at + 80)}`);
    at += read[0].length;
    if (found === null) continue;
    const [, closes, name = '', attributes = '', isEmpty] = found;
    if (closes === '/') expect(open.pop()).toBe(name);
    else elements.push({ name, attributes: parseAttributes(attributes) });
    if (closes === '' && isEmpty === '') open.push(name);
  }
  expect(open).toEqual([]);
  return elements;
}

export function expectWellFormed(document: string): void {
  expect(parseSvg(document)[0]).toMatchObject({ name: 'svg' });
}

function parseAttributes(written: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...written.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}
