import { expect, it } from 'vitest';
import { limits } from '../../../src/history/bound.ts';
import { change, life, open, place, program, running, starting } from './records.ts';

const one = program('app', '--one');

it('ten versions are kept, the newest of them, and the files of those before are given up', () => {
  const where = place();
  const given: string[] = [];
  for (let version = 2; version <= 15; version += 1) {
    const history = open(where, running(program(`v${version - 1}`), life(version - 1)));
    history.begin(starting(program(`v${version}`), { files: [change('/bin/app', `/kept/${version}`)] }));
    given.push(...history.settle({ kind: 'running', run: life(version) }).unneeded);
  }
  const history = open(where, running(program('v15'), life(15)));
  expect(history.versions.map(({ number }) => number)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
  // What version 6 found there is what only version 5 would need.
  expect(given).toEqual(['/kept/2', '/kept/3', '/kept/4', '/kept/5', '/kept/6']);
  expect(history.resolve(6).files.map(({ before }) => before?.keptAs)).toEqual(['/kept/7']);
});

it('failed ones fall out before good ones, but not the one that has just failed', () => {
  const where = place();
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const history = open(where, running(one, life(attempt)));
    history.begin(starting(program(`bad${attempt}`)));
    history.settle({ kind: 'failed', end: null, run: life(attempt + 1) });
  }
  const { versions } = open(where, running(one, life(21)));
  expect(versions).toHaveLength(limits.versions);
  expect(versions.at(0)?.program.argv).toEqual(['bad20']);
  expect(versions.at(-1)).toMatchObject({ number: 1, state: 'running' });
});

it('files above the limit are given up with the versions that need them, but never those of the previous version', () => {
  const where = place();
  const gib = 1024 ** 3;
  const given: string[] = [];
  for (let version = 2; version <= 4; version += 1) {
    const history = open(where, running(program(`v${version - 1}`), life(version - 1)));
    history.begin(starting(program(`v${version}`), { files: [change('/bin/app', `/kept/${version}`, 2 * gib)] }));
    given.push(...history.settle({ kind: 'running', run: life(version) }).unneeded);
  }
  const history = open(where, running(program('v4'), life(4)));
  expect(given).toEqual(['/kept/2', '/kept/3']);
  expect(history.versions.map(({ number, available }) => [number, available])).toEqual([
    [4, true],
    [3, true],
  ]);
});

it('a program with an environment that is too large is listed, and cannot be gone back to', () => {
  const where = place();
  const large = { ...one, environment: [Buffer.alloc(1024 ** 2, 'x')] };
  const history = open(where, running(large, life(1)));
  history.begin(starting(program('two')));
  history.settle({ kind: 'running', run: life(2) });
  expect(history.versions[1]).toMatchObject({
    program: { exe: '/bin/app', argv: [] },
    available: 'its arguments and environment are too large to be recorded',
  });
});

it('a version with more files than a record holds cuts off what was before it', () => {
  const where = place();
  const files = Array.from({ length: 100 }, (_, index) => change(`/srv/${index}`, null));
  const history = open(where, running(one, life(1)), { limits: { ...limits, filesBytes: 1000 } });
  history.begin(starting(program('two'), { files }));
  history.settle({ kind: 'running', run: life(2) });
  expect(history.versions.map(({ available }) => available)).toEqual([
    true,
    'version 2 changed more files than the record holds',
  ]);
});
