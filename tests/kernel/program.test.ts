// Which program a restart starts: the one that runs now, found through the process itself, byte for byte; or what the user asks for.
import { chmodSync, closeSync, copyFileSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compile } from '../support/kernel/compile.ts';
import * as files from '../support/kernel/files.ts';
import { expectRestarted, expectUnchanged } from '../support/kernel/in-place.ts';
import { start, type Target } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';

const version = (number: number): string => compile('program', { flags: [`-DVERSION=${number}`] });
const unknown = { code: 'program-unknown', exitCode: 5 } as const;

describe('a script', () => {
  const loop = 'while read line; do echo alive $line eintr 0; done';
  const python =
    'import sys\nprint("started", sys.argv, flush=True)\nfor line in sys.stdin: print("alive eintr 0", flush=True)\n';

  test.each([
    ['of sh', `#!/bin/sh\necho started $0 $# "$1" "$2"\n${loop}\n`],
    ['whose interpreter has an argument', `#! /bin/sh -u\necho started $0 $- "$1"\n${loop}\n`],
    ['of bash', `#!/bin/bash\necho started $0 "$2"\n${loop}\n`],
    ['of python', `#!/usr/bin/python3\n${python}`],
    ['of python with an argument', `#!/usr/bin/python3 -u\n${python}`],
    ['of an interpreter that env finds', `#!/usr/bin/env sh\necho started $0 "$1"\n${loop}\n`],
  ])('%s is started as a script again', async (_, content) => {
    const path = files.file(content);
    const target = await start(path, ['one', 'two words']);
    for (let time = 0; time < 2; time++) {
      await expectRestarted(target);
      expect(lastStart(target)).toBe(target.lines[0]);
    }
  });

  test('that has been edited meanwhile is read anew', async () => {
    const path = files.file(`#!/bin/sh\necho started before\n${loop}\n`);
    const target = await start(path);
    writeFileSync(`${path}.new`, `#!/bin/bash\necho started after\n${loop}\n`);
    chmodSync(`${path}.new`, 0o755);
    renameSync(`${path}.new`, path);
    await expectRestarted(target);
    expect(lastStart(target)).toBe('started after');
  });

  test('whose name its interpreter was given is given it again', async () => {
    const path = files.file(`echo started $0 "$1"\n${loop}\n`, 0o644);
    const target = await start('/bin/sh', [path, 'one']);
    await expectRestarted(target);
    expect(lastStart(target)).toBe(`started ${path} one`);
  });

  test('that came through a descriptor is refused: the new program would not get it', async () => {
    const script = openSync(files.file(`echo started\n${loop}\n`), 'r');
    onTestFinished(() => closeSync(script));
    const target = await start('/bin/sh', ['/dev/fd/3'], { stdio: ['pipe', 'pipe', 'inherit', script] });
    await expectUnchanged(target, unknown);
  });
});

describe('the file of the program', () => {
  needs({ command: 'gcc' });

  test('is looked for through a symlink again, as a fresh start would', async () => {
    const link = join(files.temporaryDirectory(), 'current');
    symlinkSync(version(1), link);
    const target = await start(link);
    rmSync(link);
    symlinkSync(version(2), link);
    const { result } = await expectRestarted(target);
    expect(startOf(target)).toMatchObject({ version: 2, argv: [link], path: [link] });
    expect(result?.after?.exe).toBe(version(2));
  });

  test.each<[string, (path: string) => void]>([
    [
      'has been replaced',
      (path) =>
        renameSync(
          files.patched(version(2), () => {}),
          path,
        ),
    ],
    ['has been deleted and written anew', (path) => (rmSync(path), copyFileSync(version(2), path))],
  ])('is the new one where it %s, which is said', async (_, replace) => {
    const path = files.patched(version(1), () => {});
    const target = await start(path);
    replace(path);
    const { result } = await expectRestarted(target);
    expect(startOf(target).version).toBe(2);
    expect(result?.warnings.join()).toContain(`${path} was replaced on disk`);
  });

  test('is missed where it has been deleted', async () => {
    const path = files.patched(version(1), () => {});
    const target = await start(path);
    rmSync(path);
    await expectUnchanged(target, { code: 'program-not-startable', exitCode: 1 });
  });

  test('is found where it was started through a descriptor (fexecve)', async () => {
    const target = await start('bash', ['-c', 'exec 3<"$0"; exec -a name /proc/self/fd/3 one', version(1)]);
    await expectRestarted(target);
    expect(startOf(target)).toMatchObject({ argv: ['name', 'one'], path: [version(1)] });
  });

  test('is found where it was started by a relative path', async () => {
    const directory = files.temporaryDirectory();
    copyFileSync(version(1), join(directory, 'program'));
    const target = await start('./program', [], { cwd: directory });
    await expectRestarted(target);
    expect(startOf(target)).toMatchObject({ argv: ['./program'], cwd: directory });
  });

  // A known fault: the path that the kernel tells is taken for UTF-8.
  test.fails('may have a name that is no text', async () => {
    const script = `cp "$0" "$1/$(printf '\\377\\376')" && exec "$1/$(printf '\\377\\376')"`;
    const target = await start('sh', ['-c', script, version(1), files.temporaryDirectory()]);
    await expectRestarted(target);
    expect(lastStart(target)).toBe(target.lines[0]);
  });
});

describe('arguments and environment', () => {
  needs({ command: 'gcc' });

  test('are the same, byte for byte', async () => {
    const bytes = `$(printf 'a\\377\\376 \\001\\n\\303(z')`;
    const target = await start('sh', ['-c', `VARIABLE="${bytes}" exec "$0" "${bytes}" '' 'ä €'`, version(1)]);
    expect(lastStart(target)).toContain('61fffe20010ac3287a');
    await expectRestarted(target);
    expect(lastStart(target)).toBe(target.lines[0]);
  });

  test('may be empty words, the first among them', async () => {
    const target = await start(version(1), ['', 'one', ''], { argv0: '' });
    expect(startOf(target).argv).toEqual(['', '', 'one', '']);
    await expectRestarted(target);
    expect(lastStart(target)).toBe(target.lines[0]);
  });

  test('may be a mebibyte', async () => {
    const variables = Array.from(
      { length: 9 },
      (_, index) => [`NAME${index}`, String(index).repeat(120 * 1024)] as const,
    );
    const target = await start(version(1), ['x'.repeat(100_000)], { env: Object.fromEntries(variables) });
    await expectRestarted(target);
    expect(lastStart(target)).toBe(target.lines[0]);
  });

  test('may be none', async () => {
    const target = await start(version(1), [], { env: {} });
    expect(startOf(target).environ).toEqual([]);
    await expectRestarted(target);
    expect(lastStart(target)).toBe(target.lines[0]);
  });

  test('are what the flags make of them', async () => {
    const cwd = files.temporaryDirectory();
    const target = await start(version(1), ['one'], { env: { A: '1', B: '2', C: '3' } });
    await expectRestarted(target, {
      env: ['B=two=2', 'D=', 'HOTEXEC_TEST_D'],
      unsetEnv: ['C', 'Z'],
      cwd,
      variables: { HOTEXEC_TEST_D: '4' },
    });
    expect(startOf(target)).toMatchObject({
      argv: [version(1), 'one'],
      environ: ['A=1', 'B=two=2', 'D=', 'HOTEXEC_TEST_D=4'],
      cwd,
    });
  });

  test('stay where another file is executed (--exe)', async () => {
    const target = await start(version(1), ['one'], { env: { A: '1' } });
    await expectRestarted(target, { exe: version(2) });
    expect(startOf(target)).toMatchObject({
      version: 2,
      argv: [version(1), 'one'],
      environ: ['A=1'],
      path: [version(2)],
    });
  });

  test('are replaced by a command, which is looked for in the PATH of the program', async () => {
    const directory = files.temporaryDirectory();
    copyFileSync(version(2), join(directory, 'known-here-alone'));
    const target = await start(version(1), ['one'], { env: { PATH: `/nonexistent:${directory}` } });
    await expectRestarted(target, { command: ['known-here-alone', '--flag', ''] });
    expect(startOf(target)).toMatchObject({ version: 2, argv: ['known-here-alone', '--flag', ''] });
    expect(startOf(target).path).toEqual([join(directory, 'known-here-alone')]);
  });

  test('come from the process (--from process), and from a spec only where there is one', async () => {
    const target = await start(version(1), ['one']);
    await expectUnchanged(target, unknown, { from: 'spec' });
    await expectRestarted(target, { from: 'process' });
    expect(lastStart(target)).toBe(target.lines[0]);
  });
});

interface Start {
  readonly version: number;
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  /** What execve was given. */
  readonly path: readonly string[];
  readonly cwd: string;
}

function startOf(target: Target): Start {
  const { argv, environ, path, ...rest } = JSON.parse(lastStart(target).slice('started '.length)) as Start;
  return { ...rest, argv: decode(argv), environ: decode(environ), path: decode(path) };
}

function decode(words: readonly string[]): string[] {
  return words.map((word) => Buffer.from(word, 'hex').toString());
}

function lastStart(target: Target): string {
  return target.lines.findLast((line) => line.startsWith('started')) ?? '';
}
