import { expect, test } from 'vitest';
import { candidates } from '../../../src/demo/isolation.ts';

const kinds = (surroundings: Parameters<typeof candidates>[0]): readonly string[] =>
  candidates(surroundings).map(({ kind, launcher }) => `${kind}: ${launcher[0]}`);

test('root takes namespaces, and a user namespace where those are refused (in a container)', () => {
  expect(kinds({ uid: 0, yamaScope: 1 })).toEqual([
    'namespaces: unshare',
    'user-namespace: unshare',
    'user-namespace: unshare',
  ]);
});

test('a user takes a user namespace', () => {
  expect(kinds({ uid: 1000, yamaScope: null })).toEqual(['user-namespace: unshare', 'user-namespace: unshare']);
});

test('a user under Yama lets the server be traced as the last resort', () => {
  expect(kinds({ uid: 1000, yamaScope: 1 }).at(-1)).toBe('none: perl');
  expect(kinds({ uid: 1000, yamaScope: 2 }).at(-1)).toBe('user-namespace: unshare');
});

test('every namespace ends with its launcher', () => {
  const launchers = candidates({ uid: 0, yamaScope: null }).map(({ launcher }) => launcher);
  expect(launchers.every((launcher) => launcher.includes('--kill-child'))).toBe(true);
});
