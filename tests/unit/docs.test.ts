// The documents agree with the source, and their links lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { leastRole } from '../../src/targets/kubernetes/role.ts';

const root = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

describe('docs/errors.md', () => {
  it('has a line for each code, with its exit code, and for nothing else', () => {
    const lines = [...read('docs/errors.md').matchAll(/^\| `([\w-]+)` \| (\d+) \|/gm)];
    expect(lines).toHaveLength(Object.keys(exitCodes).length);
    expect(Object.fromEntries(lines.map(([, code = '', exit]) => [code, Number(exit)]))).toStrictEqual(exitCodes);
  });
});

it.each(['docs/security.md', 'deploy/rbac.yaml'])('%s has the Role that the command prints', (page) => {
  const rules = leastRole('shop')
    .split('\n')
    .filter((line) => line.startsWith('- '));
  expect(read(page).split('\n')).toEqual(expect.arrayContaining(rules));
});

describe('links', () => {
  const links = pages.flatMap((page) => linksOf(page).map((link) => [page, link] as const));

  it.each(links)('in %s: %s leads somewhere', (page, link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
    expect(relative(root, target)).not.toMatch(/^\.\./);
    expect(existsSync(target)).toBe(true);
    expect(anchor === undefined ? [anchor] : anchorsOf(readFileSync(target, 'utf8'))).toContain(anchor);
  });

  it('are found at all', () => {
    expect(links.length).toBeGreaterThan(5);
  });
});

/** Relative ones; what lies elsewhere cannot be asked here. */
function linksOf(page: string): readonly string[] {
  const links = [...prose(read(page)).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, link = '']) => link);
  return [...new Set(links)].filter((link) => !/^[a-z]+:/i.test(link));
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  const headings = [...prose(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Without what stands in code. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
}
