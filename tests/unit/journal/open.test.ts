import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openJournal } from '../../../src/journal/journal.ts';
import { needs } from '../../support/needs.ts';
import { refusal } from '../../support/refusal.ts';
import { tempDirectory } from '../../support/temp.ts';
import { begin, enginePid, header, mapping, pathOf, place, stopped } from './journals.ts';

describe('a target that nobody works on', () => {
  it('gets a journal that only its owner may read, in a directory made for it', () => {
    const where = place();
    using opened = openJournal(where).journal;
    expect(opened.path).toBe(pathOf(where));
    expect([statSync(where.directory).mode & 0o777, statSync(opened.path).mode & 0o777]).toStrictEqual([0o700, 0o600]);
  });

  it('is told from one with the same pid of another time', () => {
    const where = place();
    using _first = openJournal(where).journal;
    using _second = openJournal({ ...where, startTicks: where.startTicks + 1 }).journal;
    expect(readdirSync(where.directory)).toStrictEqual(['4711-429055', '4711-429056']);
  });
});

describe('a target that another hotexec works on', () => {
  it('is busy, and the message names the engine', () => {
    const where = place();
    begin(where);
    expect(refusal(() => openJournal(where))).toStrictEqual({
      code: 'target-busy',
      message: `another hotexec (engine pid ${enginePid}) is at work on process 4711. Nothing was touched.`,
      hint: 'wait for it to end, then try again',
      details: {},
    });
  });

  it('is busy before the other has written a line', () => {
    const where = place();
    using _opened = openJournal(where).journal;
    expect(refusal(() => openJournal(where)).message).toBe(
      'another hotexec is at work on process 4711. Nothing was touched.',
    );
  });

  it('is busy however often it is asked, and the asking disturbs nothing', () => {
    const where = place();
    const journal = begin(where);
    journal.enter(stopped);
    const before = readFileSync(journal.path);
    for (let count = 0; count < 3; count++) expect(refusal(() => openJournal(where)).code).toBe('target-busy');
    expect(readFileSync(journal.path)).toStrictEqual(before);
  });
});

describe('the end of a journal', () => {
  it('is the end of its file, when nothing is left to mend', () => {
    const where = place();
    const journal = begin(where);
    journal.enter(stopped);
    journal.finish();
    journal[Symbol.dispose]();
    expect(existsSync(journal.path)).toBe(false);
  });

  it('is the end of its file, when it was never begun', () => {
    const where = place();
    openJournal(where).journal[Symbol.dispose]();
    expect(readdirSync(where.directory)).toStrictEqual([]);
  });

  it('leaves the file to a mender when the work was not finished', () => {
    const where = place();
    const journal = begin(where);
    journal.enter(stopped);
    journal.enter(mapping);
    journal[Symbol.dispose]();
    const { journal: next, left } = openJournal(where);
    using _next = next;
    expect(left).toMatchObject({ header: { enginePid, operationId: header.operationId }, program: 'old' });
    expect(left?.changes.map(({ change }) => change)).toStrictEqual([stopped, mapping]);
  });

  it('lets the next one begin', () => {
    const where = place();
    for (let count = 0; count < 3; count++) {
      const { journal, left } = openJournal(where);
      expect(left).toBeNull();
      journal.begin(header);
      journal.finish();
      journal[Symbol.dispose]();
    }
  });
});

describe('a directory that cannot be trusted', () => {
  it.each([0o777, 0o770, 0o722, 0o1777])('is refused with mode %o', (mode) => {
    const where = place(tempDirectory());
    chmodSync(where.directory, mode);
    expect(refusal(() => openJournal(where))).toMatchObject({
      code: 'journal-unwritable',
      message: `cannot open the journal ${pathOf(where)}: ${where.directory} belongs to uid ${where.uid} with mode ${(mode & 0o777).toString(8)}: others could write there. The process was not touched.`,
      hint: 'name a private, writable directory in HOTEXEC_RUNTIME_DIR',
    });
    expect(readdirSync(where.directory)).toStrictEqual([]);
  });

  it.each([0o700, 0o755])('is taken with mode %o', (mode) => {
    const where = place(tempDirectory());
    chmodSync(where.directory, mode);
    using opened = openJournal(where).journal;
    expect(opened.path).toBe(pathOf(where));
  });

  it('is refused when it is a file', () => {
    const path = join(tempDirectory(), 'file');
    writeFileSync(path, '');
    expect(refusal(() => openJournal(place(path))).code).toBe('journal-unwritable');
  });

  it('is refused when a symlink stands where the journal would be, and what that names is not made', () => {
    const directory = tempDirectory();
    const where = place(join(directory, 'hotexec'));
    mkdirSync(where.directory, { mode: 0o700 });
    symlinkSync(join(directory, 'victim'), pathOf(where));
    const { code, message } = refusal(() => openJournal(where));
    expect([code, message]).toStrictEqual(['journal-unwritable', expect.stringContaining('ELOOP')]);
    expect(existsSync(join(directory, 'victim'))).toBe(false);
  });

  describe('of somebody else', () => {
    needs('root');

    it('is refused', () => {
      const where = place(tempDirectory());
      chownSync(where.directory, 65_534, 65_534);
      expect(refusal(() => openJournal(where)).message).toContain('belongs to uid 65534 with mode 700');
    });
  });
});

function tmpfs(options: string): string {
  const directory = tempDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', [directory]));
  return directory;
}

describe('a runtime directory without room', () => {
  needs('root', { command: 'mount' });

  it('is found before anything is touched, and the journal does not stay', () => {
    const where = place(tmpfs('size=32k'));
    const { journal } = openJournal(where);
    expect(refusal(() => journal.begin(header))).toStrictEqual({
      code: 'journal-unwritable',
      message: `no room for the journal ${pathOf(where)}: ENOSPC (no space left on device). The process was not touched.`,
      hint: 'free some space in the runtime directory, or name another one in HOTEXEC_RUNTIME_DIR',
      details: {},
    });
    journal[Symbol.dispose]();
    expect(readdirSync(where.directory)).toStrictEqual([]);
  });

  it('is found when not even a file can be made', () => {
    const where = place(tmpfs('nr_inodes=1'));
    const { code, message } = refusal(() => openJournal(where));
    expect([code, message]).toStrictEqual(['journal-unwritable', expect.stringContaining('ENOSPC')]);
  });

  it('that fills up later does not matter: the room was taken in advance', () => {
    const where = place(tmpfs('size=256k'));
    const { journal } = openJournal(where);
    using opened = journal;
    opened.begin(header);
    const { bavail, bsize } = statfsSync(where.directory);
    writeFileSync(join(where.directory, 'filler'), Buffer.alloc(bavail * bsize));
    expect(statfsSync(where.directory).bavail).toBe(0);
    for (let count = 0; count < 200; count++) opened.strike(opened.enter(mapping));
  });

  it('that fills up later does not matter to a program with twenty thousand descriptors', () => {
    const where = place(tmpfs('size=2m'));
    const { journal } = openJournal(where);
    using opened = journal;
    opened.begin(header, { entries: 20_000 });
    const { bavail, bsize } = statfsSync(where.directory);
    writeFileSync(join(where.directory, 'filler'), Buffer.alloc(bavail * bsize));
    const set = Array.from({ length: 20_000 }, (_, index) => index + 3);
    expect(opened.enter({ kind: 'descriptorFlags', set, cleared: [] })).toBe(1);
  });
});
