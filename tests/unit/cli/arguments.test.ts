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
  [['restart', 'pod/web'], false],
  [['restart', 'deploy', 'web'], false],
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
    expect(named(['docker', 'web'])).toEqual({ kind: 'docker', name: 'web' });
    expect(named(['pod', 'web'])).toEqual({ kind: 'pod', name: 'web' });
    expect(named(['deploy', 'web'])).toEqual({ kind: 'workload', type: 'deployment', name: 'web' });
    expect(named(['docker/web'])).toEqual({ kind: 'docker', name: 'web' });
  });

  it.each([[['1', '2']], [['docker/web', 'nginx']], [['docker', 'web', 'nginx']]])(
    'refuses more than one: %j',
    (words) => {
      expect(() => named(words)).toThrow(/One target at a time/);
    },
  );
});

describe('targetOf, as a plugin of kubectl', () => {
  it('takes a bare name for a pod, a number too', () => {
    expect(inCluster('web-0')).toEqual({ kind: 'pod', name: 'web-0' });
    expect(inCluster('1234')).toEqual({ kind: 'pod', name: '1234' });
    expect(inCluster('sts', 'web')).toEqual({ kind: 'workload', type: 'statefulset', name: 'web' });
  });

  it.each([['pid/1'], ['docker/web'], ['cri/4f5a']])('refuses what is on a machine: %s', (word) => {
    expect(() => inCluster(word)).toThrow(/is on a machine/);
  });

  it('selects by labels', () => {
    const selecting = { program: 'kubectl-hotexec', selector: 'app=web' } as const;
    expect(targetOf(['deployments'], selecting)).toEqual({ kind: 'selected', type: 'deployment', selector: 'app=web' });
    expect(() => targetOf(['pod', 'web'], selecting)).toThrow(/a name is given too/);
    expect(() => targetOf(['web-0'], selecting)).toThrow(/no type whose pods/);
  });
});

function named(words: readonly string[]): unknown {
  return targetOf(words, { program: 'hotexec', selector: null });
}

function inCluster(...words: readonly string[]): unknown {
  return targetOf(words, { program: 'kubectl-hotexec', selector: null });
}
