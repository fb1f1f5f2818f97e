import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryPlace } from '../../../src/history/record-file.ts';
import { sweep } from '../../../src/history/sweep.ts';
import { writeProc } from '../../support/proc-tree.ts';
import { tempDirectory } from '../../support/temp.ts';
import { place } from './records.ts';

const boot = '11111111-2222-3333-4444-555555555555';
const otherBoot = '99999999-2222-3333-4444-555555555555';
const [living, stopped] = ['a'.repeat(64), 'b'.repeat(64)];
const hourMs = 3_600_000;

describe('what is gone goes', () => {
  let where: HistoryPlace = place('/nonexistent');
  let proc = '';

  beforeEach(() => {
    where = place(tempDirectory());
    proc = writeProc(tempDirectory(), [
      { pid: 77, comm: 'app', ppid: 1 },
      { pid: 78, comm: 'app', ppid: 1, cgroup: `0::/docker/${living}` },
    ]);
    mkdirSync(join(proc, 'sys/kernel/random'), { recursive: true });
    writeFileSync(join(proc, 'sys/kernel/random/boot_id'), `${boot}\n`);
  });

  function file(name: string, { ageHours = 0, runtime = 'containerd' } = {}): string {
    const path = join(where.directory, name);
    const container = { id: 'x', name: null, runtime };
    writeFileSync(path, JSON.stringify({ version: 1, container, entries: [] }), { mode: 0o600 });
    const at = new Date(Date.now() - ageHours * hourMs);
    utimesSync(path, at, at);
    return path;
  }

  function swept(path: string): boolean {
    sweep(where, { keep: join(where.directory, 'kept.json'), proc });
    return !existsSync(path);
  }

  it.each([
    ['of a process that runs', `77-1077-${boot}.json`, false],
    ['of a pid that another process has', `77-1078-${boot}.json`, true],
    ['of a process that has ended', `79-1079-${boot}.json`, true],
    ['of before the reboot', `77-1077-${otherBoot}.json`, true],
    ['set aside, of a process that has ended', `79-1079-${boot}.json.set-aside`, true],
    ['of no process', 'notes.txt', false],
    ['half written by an engine that is gone', '.4711.tmp', true],
    ['half written by an engine that is at it', '.77.tmp', false],
  ])('a record %s (%s): %s', (_, name, gone) => {
    expect(swept(file(name))).toBe(gone);
  });

  it.each([
    { what: 'that has a process', name: living, ageHours: 1000, gone: false },
    { what: 'without a process since an hour', name: stopped, ageHours: 1, gone: false },
    { what: 'without a process since two days', name: stopped, ageHours: 48, gone: true },
    { what: 'of Docker, which can start it again', name: stopped, ageHours: 48, runtime: 'docker', gone: false },
    { what: 'of Docker since forty days', name: stopped, ageHours: 960, runtime: 'docker', gone: true },
  ])('a record of a container $what: $gone', ({ name, gone, ...facts }) => {
    expect(swept(file(`${name}.json`, facts))).toBe(gone);
  });

  it('containers are looked at once a day', () => {
    sweep(where, { keep: '', proc });
    const path = file(`${stopped}.json`, { ageHours: 48 });
    expect(swept(path)).toBe(false);
    const yesterday = new Date(Date.now() - 25 * hourMs);
    utimesSync(join(where.directory, '.swept'), yesterday, yesterday);
    expect(swept(path)).toBe(true);
  });

  it('and whenever there are many', () => {
    sweep(where, { keep: '', proc });
    for (let index = 0; index < 120; index += 1) {
      file(`${String(index).padStart(64, '0')}.json`, { ageHours: 48 });
    }
    sweep(where, { keep: '', proc });
    expect(readdirSync(where.directory)).toEqual(['.swept']);
  });

  it('the record in use stays', () => {
    const path = file(`${stopped}.json`, { ageHours: 48 });
    sweep(where, { keep: path, proc });
    expect(existsSync(path)).toBe(true);
  });

  it('a directory that is not there is nothing to sweep', () => {
    sweep(place(join(where.directory, 'none')), { keep: '', proc });
    expect(readdirSync(where.directory)).toEqual([]);
  });
});
