import { existsSync, readdirSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openHistory } from '../../../src/history/history.ts';
import type { HistoryPlace } from '../../../src/history/record-file.ts';
import { refusal } from '../../support/refusal.ts';
import { targetProcess } from '../../support/samples.ts';
import { change, life, one, open, pathOf, place, program, recorded, running, shown, starting, two } from './records.ts';

describe('the record', () => {
  it('begins with the program that is found there, and has who started what, and when', () => {
    const history = open(recorded(), running(two, life(2)));
    expect(history.versions).toEqual([
      {
        number: 2,
        startedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        recordedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        by: 'ada',
        operationId: 'op',
        backTo: null,
        program: { exe: '/bin/app', argv: ['app', '--two'], cwd: '/' },
        files: [{ path: '/bin/app', digest: 'd1' }],
        state: 'running',
        end: null,
        available: true,
      },
      {
        number: 1,
        startedAt: null,
        recordedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        by: null,
        operationId: null,
        backTo: null,
        program: { exe: '/bin/app', argv: ['app', '--one'], cwd: '/' },
        files: [],
        state: 'replaced',
        end: null,
        available: true,
      },
    ]);
  });

  it('is a file that its owner alone can read, in a directory that is his alone', () => {
    const where = recorded();
    expect(readdirSync(where.directory)).toEqual(['.swept', `${targetProcess.container?.id ?? ''}.json`]);
    expect([statSync(where.directory).mode & 0o777, statSync(pathOf(where)).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it('holds the environment, and tells it only to the engine', () => {
    const history = open(recorded(), running(two, life(2)));
    expect(JSON.stringify(history.versions)).not.toContain('TOKEN');
    expect(history.resolve('previous').program).toEqual(one);
  });

  it('keeps bytes that are no text', () => {
    const where = place();
    const odd = { ...one, argv: [Buffer.of(0xff, 0xfe)] };
    const history = open(where, running(odd, life(1)));
    history.begin(starting(two));
    history.settle({ kind: 'running', run: life(2) });
    expect(open(where, running(two, life(2))).resolve(1).program.argv).toEqual([Buffer.of(0xff, 0xfe)]);
  });

  it('is not written where nothing but the program that was found has run', () => {
    const where = place();
    const history = open(where, running(one, life(1)));
    expect(history.begin(starting(one)).warnings).toEqual([]);
    history.settle({ kind: 'running', run: life(2) });
    expect(existsSync(pathOf(where))).toBe(false);
  });

  it('does not grow by the same program again', () => {
    const where = recorded();
    for (let exec = 3; exec < 30; exec += 1) {
      const history = open(where, running(two, life(exec - 1)));
      history.begin(starting(two));
      history.settle({ kind: 'running', run: life(exec) });
    }
    expect(shown(open(where, running(two, life(29))))).toEqual(['2 running app --two', '1 replaced app --one']);
  });

  it('of a process in no container has the name of that process', () => {
    const where = place();
    const target = { ...targetProcess, container: null };
    const history = openHistory(where, target, { running: running(one, life(1)), isThere: () => true });
    history.begin(starting(two));
    expect(readdirSync(where.directory)[0]).toMatch(/^4711-429055-[\da-f-]{36}\.json$/);
  });

  it('of another process in the container is not that of its main process', () => {
    const where = recorded();
    const target = { ...targetProcess, pid: process.pid, spec: null };
    const history = openHistory(where, target, { running: running(one, life(1)), isThere: () => true });
    expect(shown(history)).toEqual(['1 running app --one']);
  });
});

describe('a program that failed its probation', () => {
  const end = { exitCode: 1, signal: null, reason: 'exit', afterMs: 12 } as const;

  function failed(): { readonly where: HistoryPlace; readonly unneeded: readonly string[] } {
    const where = recorded();
    const history = open(where, running(two, life(2)));
    history.begin(starting(program('bad'), { files: [change('/bin/app', '/bin/.app.2')] }));
    return { where, ...history.settle({ kind: 'failed', end, run: life(4) }) };
  }

  it('stays in the list, and the previous one runs', () => {
    const history = open(failed().where, running(two, life(4)));
    expect(shown(history)).toEqual(['3 failed bad', '2 running app --two', '1 replaced app --one']);
    expect(history.versions[0]).toMatchObject({ end, available: 'it failed, and its files were put back' });
  });

  it('leaves nothing to keep, and is not what rollback goes back to', () => {
    const { where, unneeded } = failed();
    expect(unneeded).toEqual(['/bin/.app.2']);
    const { number, files } = open(where, running(two, life(4))).resolve('previous');
    expect(number).toBe(1);
    expect(files.map(({ before }) => before?.keptAs)).toEqual(['/bin/.app.1']);
  });
});

describe('what runs is not what was recorded last', () => {
  it('is the same version when the runtime has started the same program again', () => {
    expect(shown(open(recorded(), running(two, life(9, 2))))).toEqual(['2 running app --two', '1 replaced app --one']);
  });

  it('is a new version when the runtime has started another, and the last one has ended', () => {
    expect(shown(open(recorded(), running(one, life(9, 2))))).toEqual([
      '3 running app --one',
      '2 ended app --two',
      '1 replaced app --one',
    ]);
  });

  it('is a new version when something in the process has executed another', () => {
    const history = open(recorded(), running(program('other'), life(9)));
    expect(shown(history).slice(0, 2)).toEqual(['3 running other', '2 replaced app --two']);
    expect(history.versions[0]).toMatchObject({ startedAt: null, by: null });
  });

  it('is the recorded one while its life goes on, whatever it makes of its arguments', () => {
    const titled = {
      ...running(two, life(2)),
      program: { kind: 'unknown', exe: '/bin/app', cwd: '/', why: 'no' },
    } as const;
    expect(shown(open(recorded(), titled))).toEqual(['2 running app --two', '1 replaced app --one']);
  });
});

describe('a new program that ended where nothing could be caught', () => {
  it('has failed: its files were put back, and what runs next has the files of the one before', () => {
    const where = recorded();
    const history = open(where, running(two, life(2)));
    history.begin(starting(program('new'), { files: [change('/bin/app', '/bin/.app.2')] }));
    history.settle({ kind: 'ended', end: null });
    const again = open(where, running(two, life(9, 2)));
    expect(shown(again)).toEqual(['3 failed new', '2 running app --two', '1 replaced app --one']);
    expect(again.versions[0]?.available).toBe('it failed, and its files were put back');
    expect(again.resolve('previous').number).toBe(1);
  });
});

function killed(): HistoryPlace {
  const where = recorded();
  const history = open(where, running(two, life(2)));
  history.begin(starting(program('new'), { files: [change('/bin/app', '/bin/.app.2')] }));
  return where;
}

describe('an engine that was killed before it wrote what came of its exec', () => {
  it.each([
    { what: 'the old program is there', now: running(two, life(2)), newest: '2 running app --two' },
    { what: 'the new program is there', now: running(program('new'), life(3)), newest: '3 running new' },
    { what: 'the previous program is there again', now: running(two, life(4)), newest: '3 failed new' },
    { what: 'its mender found the old', now: running(two, life(2)), mended: 'old', newest: '2 running app --two' },
    { what: 'its mender found the new', now: running(two, life(3)), mended: 'new', newest: '3 running new' },
    { what: 'its mender found the previous', now: running(two, life(4)), mended: 'previous', newest: '3 failed new' },
  ] as const)('leaves a record that is right: $what', ({ now, newest, ...rest }) => {
    const where = killed();
    const history = open(where, now, rest);
    expect(shown(history)[0]).toBe(newest);
    const isUndone = newest !== '3 running new';
    expect(history.save().unneeded).toEqual(isUndone ? ['/bin/.app.2'] : []);
    expect(shown(open(where, now))[0]).toBe(newest);
  });
});

describe('going back', () => {
  it('is refused where nothing ran before', () => {
    const history = open(place(), running(one, life(1)));
    expect(refusal(() => history.resolve('previous'))).toMatchObject({
      code: 'no-such-version',
      message:
        'docker/web: there is nothing to go back to: the record has no program that ran there before this one. Nothing was touched.',
    });
  });

  it('to a version that there is not says which there are', () => {
    const history = open(recorded(), running(two, life(2)));
    expect(refusal(() => history.resolve(7))).toMatchObject({
      code: 'no-such-version',
      message: 'docker/web: there is no version 7 in the record. Nothing was touched.',
      hint: 'there is 1; hotexec rollback TARGET --list shows them',
    });
  });

  it('is refused when a file is not kept any more', () => {
    const history = open(recorded(), running(two, life(2)), { isThere: () => false });
    expect(refusal(() => history.resolve('previous'))).toMatchObject({
      code: 'version-unavailable',
      message:
        'docker/web: version 1 cannot be gone back to: /bin/app as it was then is not kept any more. Nothing was touched.',
    });
    expect(history.versions.map(({ available }) => available)).toEqual([
      true,
      '/bin/app as it was then is not kept any more',
    ]);
  });

  it('is refused when the executable was in memory alone', () => {
    const where = place();
    const memory = { path: 'memfd:app', change: 'in-memory', digest: 'd', before: null } as const;
    const history = open(where, running(one, life(1)));
    history.begin(starting(program('app', '--memory'), { files: [memory] }));
    history.settle({ kind: 'running', run: life(2) });
    history.begin(starting(two));
    history.settle({ kind: 'running', run: life(3) });
    expect(refusal(() => history.resolve(2)).message).toContain('its executable was in memory alone');
    expect(history.resolve(1).files).toEqual([]);
  });

  it('is refused when the process never told what it is', () => {
    const unknown = { kind: 'unknown', exe: '/bin/app', cwd: '/', why: 'the process does not tell' } as const;
    const history = open(place(), { program: unknown, run: life(1) });
    history.begin(starting(two));
    history.settle({ kind: 'running', run: life(2) });
    expect(refusal(() => history.resolve(1)).message).toContain('cannot be gone back to: the process does not tell');
  });

  it('is a version too, and going back again takes it back', () => {
    const where = recorded();
    const history = open(where, running(two, life(2)));
    const back = history.resolve('previous');
    history.begin(starting(back.program, { backTo: back.number, files: [change('/bin/app', '/bin/.app.2')] }));
    history.settle({ kind: 'running', run: life(3) });
    const next = open(where, running(one, life(3)));
    expect(next.versions[0]).toMatchObject({ number: 3, backTo: 1, state: 'running' });
    expect(next.resolve('previous')).toMatchObject({ number: 2, program: two });
  });
});
