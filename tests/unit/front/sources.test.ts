import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { geteuid, seteuid } from 'node:process';
import { describe, expect, it } from 'vitest';
import { fileCopies, replacementFile } from '../../../src/front/sources.ts';
import type { FileCopy } from '../../../src/protocol/request.ts';
import { tempDirectory } from '../../support/temp.ts';

function directory(): string {
  const path = tempDirectory();
  chmodSync(path, 0o755);
  writeFileSync(join(path, 'app'), 'x');
  writeFileSync(join(path, 'empty'), '');
  writeFileSync(join(path, 'secret'), 'x', { mode: 0 });
  mkdirSync(join(path, 'conf'));
  mkdirSync(join(path, 'closed'), { mode: 0 });
  symlinkSync('app', join(path, 'link'));
  symlinkSync('round', join(path, 'round'));
  execFileSync('mkfifo', [join(path, 'fifo')]);
  return path;
}

/** Root may read all; nobody may not. */
async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  const uid = geteuid?.() ?? -1;
  if (uid === 0) seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (uid === 0) seteuid?.(0);
  }
}

describe('a new executable', () => {
  it('is found from the working directory, also through a symbolic link', async () => {
    const cwd = directory();
    expect(await replacementFile('./app', { what: '--with', cwd })).toBe(join(cwd, 'app'));
    expect(await replacementFile(join(cwd, 'link'), { what: '--with', cwd: '/' })).toBe(join(cwd, 'link'));
  });

  it.each([
    ['nowhere', '--with "nowhere" cannot be read: there is no such file here.'],
    ['app/below', '--with "app/below" cannot be read: there is no such file here.'],
    ['round', '--with "round" cannot be read: its symbolic links go round in circles.'],
    ['conf', '--with "conf" is a directory.'],
    ['fifo', '--with "fifo" is not a regular file.'],
    ['empty', '--with "empty" is empty.'],
    ['secret', '--with "secret" cannot be read: permission denied.'],
  ])('%s is refused', async (path, message) => {
    const cwd = directory();
    const attempt = asNobody(async () => replacementFile(path, { what: '--with', cwd }));
    await expect(attempt).rejects.toMatchObject({ code: 'usage', exitCode: 2, message });
  });
});

describe('a file that is copied', () => {
  const named = { what: '--copy' };

  it.each([
    ['app', '/usr/bin/app', '/usr/bin/app'],
    ['app', '/usr/bin/', '/usr/bin/app'],
    ['app', '//usr/./bin//x', '/usr/bin/x'],
    ['empty', '/e', '/e'],
    ['conf', '/etc/app', '/etc/app'],
    ['conf', '/etc/app/', '/etc/app'],
    ['conf', '/', '/'],
    ['app', '/', '/app'],
  ])('%s to %s is to be at %s', async (source, destination, expected) => {
    const cwd = directory();
    expect(await fileCopies([copy(source, destination)], { ...named, cwd })).toEqual([
      {
        source: join(cwd, source),
        destination: expected,
        owner: { uid: 1, gid: 2 },
        allowVolume: true,
      },
    ]);
  });

  it.each([
    ['nowhere', '/x', '--copy "nowhere" cannot be read: there is no such file here.'],
    ['fifo', '/x', '--copy "fifo" is neither a file nor a directory.'],
    ['secret', '/x', '--copy "secret" cannot be read: permission denied.'],
    ['closed', '/x', '--copy "closed" cannot be read: permission denied.'],
    ['', '/x', '--copy: there is no source for "/x".'],
    ['app', 'x', '--copy: the destination "x" must begin with /: it is a path inside the container.'],
    ['app', '/etc/../../x', '--copy: the destination "/etc/../../x" must not go up with "..".'],
    ['app', '/x\0', String.raw`--copy: the destination "/x\u0000" holds a NUL byte, which no path can.`],
  ])('%s to %j is refused', async (source, destination, message) => {
    const cwd = directory();
    const attempt = asNobody(async () => fileCopies([copy(source, destination)], { ...named, cwd }));
    await expect(attempt).rejects.toMatchObject({ code: 'usage', message });
  });

  it('has a destination of its own', async () => {
    const cwd = directory();
    const attempt = fileCopies([copy('app', '/bin/'), copy('empty', '/bin/app')], { ...named, cwd });
    await expect(attempt).rejects.toThrow('--copy: two sources have the one destination "/bin/app".');
  });
});

function copy(source: string, destination: string): FileCopy {
  return { source, destination, owner: { uid: 1, gid: 2 }, allowVolume: true };
}
