import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HistoryPlace } from '../../../src/history/record-file.ts';
import { sealOf } from '../../../src/protocol/seal.ts';
import { needs } from '../../support/needs.ts';
import { containerId, targetProcess } from '../../support/samples.ts';
import { tempDirectory } from '../../support/temp.ts';
import { life, one, open, pathOf, place, recorded, running, shown, starting, two } from './records.ts';

describe('a state directory without room', () => {
  needs('root', { command: 'mount' });

  it('is a warning, and the record stays as it was', () => {
    const where = recorded();
    const record = readFileSync(pathOf(where));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0700,size=16k', 'tmpfs', where.directory]);
    onTestFinished(() => void execFileSync('umount', [where.directory]));
    writeFileSync(pathOf(where), record, { mode: 0o600 });
    const history = open(where, running(two, life(2)));
    const large = { ...one, environment: [Buffer.alloc(20_000, 'x')] };
    expect(history.begin(starting(large)).warnings[0]).toContain('ENOSPC');
    expect(readdirSync(where.directory)).toEqual([`${targetProcess.container?.id ?? ''}.json`]);
    expect(shown(open(where, running(two, life(2))))).toEqual(['2 running app --two', '1 replaced app --one']);
  });
});

describe('a record where others could read it', () => {
  it('shows nobody a word of it, and is not believed when somebody else has written it', () => {
    const where = recorded({ ...place(), seal: sealOf(containerId, crypto) });
    const now = running(two, life(2));
    expect(shown(open(where, now))).toEqual(['2 running app --two', '1 replaced app --one']);
    expect(textOf(where)).toMatch(/^[\w+/]+=*$/);
    writeFileSync(pathOf(where), textOf(recorded()));
    expect(open(where, now, { readOnly: true }).warnings[0]).toContain('somebody else has written it');
  });
});

describe('a record that cannot be used', () => {
  it.each([
    ['cut off', (where: HistoryPlace) => textOf(where).slice(0, -20), 'it is incomplete, or no JSON'],
    ['empty', () => '', 'it is incomplete, or no JSON'],
    ['of a newer hotexec', () => '{"version":2}', 'a newer hotexec wrote it'],
    ['of another program', () => '{"version":1,"entries":[{}]}', 'it is not what hotexec writes'],
    ['no object', () => '[]', 'it is not what hotexec writes'],
    [
      'in disorder',
      (where: HistoryPlace) => textOf(where).replace('"number":2', '"number":1'),
      'it is not what hotexec writes',
    ],
  ])('%s, is set aside, and a new one begins', (_, content, why) => {
    const where = recorded();
    writeFileSync(pathOf(where), content(where));
    const history = open(where, running(two, life(2)));
    expect(history.warnings).toHaveLength(1);
    expect(history.warnings[0]).toContain(why);
    expect(shown(history)).toEqual(['1 running app --two']);
    history.begin(starting(one));
    expect(history.settle({ kind: 'running', run: life(3) }).warnings).toEqual([]);
    expect(existsSync(`${pathOf(where)}.set-aside`)).toBe(true);
    expect(shown(open(where, running(one, life(3))))).toEqual(['2 running app --one', '1 replaced app --two']);
  });

  it('stays where it is when it is only looked at', () => {
    const where = recorded();
    writeFileSync(pathOf(where), '{');
    const history = open(where, running(two, life(2)), { readOnly: true });
    expect(history.warnings[0]).toContain('it is passed over');
    expect(textOf(where)).toBe('{');
  });

  it('because others could write it, is not believed', () => {
    const where = recorded();
    chmodSync(pathOf(where), 0o666);
    expect(open(where, running(two, life(2))).warnings[0]).toContain('it is no private file of uid');
  });

  it('because it is a symbolic link, is not followed', () => {
    const where = place();
    const elsewhere = join(tempDirectory(), 'record');
    writeFileSync(elsewhere, textOf(recorded()), { mode: 0o600 });
    mkdirSync(where.directory, { mode: 0o700 });
    symlinkSync(elsewhere, pathOf(where));
    const history = open(where, running(two, life(2)));
    expect(history.warnings[0]).toContain('ELOOP');
    expect(shown(history)).toEqual(['1 running app --two']);
  });

  it('because its directory is open to others, is a warning and no failure', () => {
    const where = recorded();
    chmodSync(where.directory, 0o777);
    const history = open(where, running(two, life(2)));
    expect(history.begin(starting(one)).warnings[0]).toMatch(
      /could not be written.*others could write there \(HOTEXEC_STATE_DIR names another directory\)$/,
    );
    expect(history.settle({ kind: 'running', run: life(3) }).warnings).toHaveLength(1);
  });
});

function textOf(where: HistoryPlace): string {
  return readFileSync(pathOf(where), 'utf8');
}
