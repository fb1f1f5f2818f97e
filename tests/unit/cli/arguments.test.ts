import { describe, expect, it } from 'vitest';
import { jsonFormat, needsEngine, splitArgv, targetOf } from '../../../src/cli/arguments.ts';

it('leaves everything behind the first -- to the target', () => {
  expect(splitArgv(['restart', '1', '--', 'sh', '-c', '--', '--help'])).toEqual({
    own: ['restart', '1'],
    command: ['sh', '-c', '--', '--help'],
  });
  expect(splitArgv(['restart', '1'])).toEqual({ own: ['restart', '1'], command: null });
  expect(splitArgv(['restart', '1', '--'])).toEqual({ own: ['restart', '1'], command: [] });
});

it.each([
  [['restart', 'docker/web'], true],
  [['replace', '1', '--with', 'app'], true],
  [['inspect', '1'], true],
  [['plan', 'restart', '1'], true],
  [['restart', '1', '--', 'app', '--help'], true],
  [['plan', 'replace', '1', '--with', 'app'], true],
  [['restart', '--help'], false],
  [['replace', '--help'], false],
  [['restart'], false],
  [['doctor'], false],
  [['demo'], false],
  [[], false],
])('starts an engine ahead for %j: %s', (argv, expected) => {
  expect(needsEngine(argv)).toBe(expected);
});

it.each([
  [['inspect', '1', '-o', 'json'], 'json'],
  [['inspect', '1', '-ojson'], 'json'],
  [['inspect', '1', '--output=jsonl'], 'jsonl'],
  [['inspect', '1', '--output', 'json'], 'json'],
  [['inspect', '1', '-o', 'text'], null],
  [['restart', '1', '--', 'kubectl', '-o', 'json'], null],
  [['restart', '-o'], null],
])('knows before parsing that %j wants %s', (argv, format) => {
  expect(jsonFormat(argv)).toBe(format);
});

describe('targetOf', () => {
  it("takes kubectl's two words", () => {
    expect(targetOf(['docker', 'web'])).toEqual({ kind: 'docker', name: 'web' });
    expect(targetOf(['pod', 'web'])).toEqual({ kind: 'later', type: 'pod', name: 'web' });
    expect(targetOf(['docker/web'])).toEqual({ kind: 'docker', name: 'web' });
  });

  it.each([[['1', '2']], [['docker/web', 'nginx']], [['docker', 'web', 'nginx']]])(
    'refuses more than one: %j',
    (words) => {
      expect(() => targetOf(words)).toThrow(/One target at a time/);
    },
  );
});
