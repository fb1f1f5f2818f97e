// What is checked before anything is touched: the files that are to come, and what takes them.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FilePlan } from '../../src/engine/files/planned.ts';
import { compile } from '../support/kernel/compile.ts';
import { patched, temporaryDirectory } from '../support/kernel/files.ts';
import { startTicks } from '../support/kernel/in-place.ts';
import { copy, mountAt, planCopies, planWith, rooted, stage, text, tree, write } from '../support/kernel/rooted.ts';
import { start } from '../support/kernel/target.ts';
import { needs } from '../support/needs.ts';
import { elfImage } from '../unit/elf/elf-image.ts';

function said({ refusals }: FilePlan): readonly string[] {
  return refusals.map(({ code, message }) => `${code}: ${message}`);
}

describe('what cannot be brought', () => {
  needs('root', { command: 'gcc' });

  it('is a source that is missing, special, or named in no words', async () => {
    const where = await rooted();
    const fifo = join(where.sources, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const odd = join(where.sources, 'odd');
    mkdirSync(odd);
    write(join(odd, 'x'), 'x');
    execFileSync('sh', ['-c', 'printf x > "$1/$(printf "\\377")"', 'sh', odd]);
    const plan = planCopies(
      where,
      copy(join(where.sources, 'missing'), '/app/a'),
      copy(fifo, '/app/b'),
      copy('/dev/null', '/app/c'),
      copy(odd, '/app/d'),
    );
    expect(said(plan)).toStrictEqual([
      expect.stringMatching(/^usage: .*missing cannot be read: ENOENT/),
      expect.stringMatching(/^usage: .*fifo is neither a file nor a directory\. Nothing was touched\.$/),
      expect.stringMatching(/^usage: \/dev\/null is neither a file nor a directory/),
      expect.stringMatching(/^usage: .* has a name that is not UTF-8/),
    ]);
    expect(tree(where.inside)).toStrictEqual(['app']);
  });

  it('is a destination named twice, or below a file that is to come', async () => {
    const where = await rooted((inside) => symlinkSync('app', join(inside, 'link')));
    const source = write(join(where.sources, 'x'), 'x');
    const other = write(join(where.sources, 'y'), 'y');
    expect(said(planCopies(where, copy(source, '/app/x'), copy(other, '/link/x')))).toStrictEqual([
      expect.stringMatching(/^usage: \/app\/x is the destination of two files, .*x and .*y/),
    ]);
    expect(said(planCopies(where, copy(source, '/app/x'), copy(other, '/app/x/y')))).toStrictEqual([
      expect.stringMatching(/^usage: \/app\/x would be both a file \(.*x\) and a directory/),
    ]);
    expect(said(planCopies(where, copy(source, '/app/d/y'), copy(other, '/app/d')))).toStrictEqual([
      expect.stringMatching(/^usage: \/app\/d would be both a file \(.*y\) and a directory/),
    ]);
    const program = write(join(where.inside, 'app/program'), elfImage(), 0o755);
    const plan = planWith(where, program, { files: [copy(source, '/app/program')] });
    expect(said(plan)).toStrictEqual([expect.stringMatching(/^usage: \/app\/program is the destination of two files/)]);
  });

  it('is more than there is room for, or more than ten thousand files', async () => {
    const where = await rooted();
    mountAt(join(where.inside, 'small'), ['-t', 'tmpfs', '-o', 'size=1m', 'none']);
    const big = write(join(where.sources, 'big'), Buffer.alloc(3_000_000));
    expect(said(planCopies(where, copy(big, '/small/a', { allowVolume: true })))).toStrictEqual([
      expect.stringMatching(/^file-refused: there is no room for the files: 3 MiB are needed .* and 1 MiB are free/),
    ]);
    const many = join(where.sources, 'many');
    const first = write(join(many, 'first'), '');
    for (let index = 0; index < 5000; index++) linkSync(first, join(many, String(index)));
    expect(said(planCopies(where, copy(many, '/app/a'), copy(many, '/app/b')))).toStrictEqual([
      expect.stringMatching(/^file-refused: more than 10000 files and directories would have to be written/),
    ]);
  });

  it('is a file for a directory, and a directory for a file', async () => {
    const where = await rooted((inside) => {
      write(join(inside, 'file'), 'x');
      mkdirSync(join(inside, 'app/x/x'), { recursive: true });
    });
    const source = write(join(where.sources, 'x'), 'x');
    expect(said(planCopies(where, copy(where.sources, '/file'), copy(source, '/app/x')))).toStrictEqual([
      expect.stringMatching(/^file-refused: \/file is a file, and .* is a directory/),
      expect.stringMatching(/^file-refused: \/app\/x\/x is a directory, and .*x is none/),
    ]);
  });
});

describe('a new executable that cannot be one', () => {
  needs('root', { command: 'gcc' });

  it.each([
    ['empty', '', /^file-refused: .*new is empty/],
    ['a text', 'echo\n', /^file-refused: .*new is neither an ELF program nor a script/],
    [
      'of another CPU',
      elfImage({ machine: 183 }),
      /^file-refused: .*new is a program for aarch64; this machine is x86-64/,
    ],
    ['half copied', elfImage({ segments: [{ type: 1, offset: 0, fileSizeBytes: 99_999 }] }), /new is incomplete/],
    [
      'a script whose interpreter is here but not in the container',
      '#!/bin/sh\n',
      /^file-refused: its interpreter \/bin\/sh cannot be opened: ENOENT .*Nothing was touched; the old program runs on unchanged\.$/,
    ],
  ])('%s: it is said before anything is touched', async (_, content, sentence) => {
    const where = await rooted((inside) => void write(join(inside, 'app/program'), elfImage(), 0o755));
    for (const inMemory of ['auto', 'always', 'never'] as const) {
      const plan = planWith(where, write(join(where.sources, 'new'), content), { inMemory });
      expect(said(plan)).toStrictEqual([expect.stringMatching(sentence)]);
    }
    expect(said(planWith(where, where.sources))).toStrictEqual([expect.stringMatching(/^usage: .* is a directory\./)]);
  });
});

describe('a new executable', () => {
  needs('root', { command: 'gcc' });

  it('goes into memory where the file system takes none, unless that is not wanted', async () => {
    const where = await rooted();
    const image = elfImage();
    mountAt(join(where.inside, 'ro'), ['-t', 'tmpfs', '-o', 'ro', 'none']);
    const source = write(join(where.sources, 'new'), image);
    const auto = planWith(where, source, { destination: '/ro/program' });
    expect(auto).toMatchObject({ memory: true, files: [], refusals: [] });
    expect(auto.warnings).toStrictEqual([
      expect.stringContaining('the new program is kept in memory alone: /ro/program is on'),
    ]);
    const never = planWith(where, source, { destination: '/ro/program', inMemory: 'never' });
    expect(never).toMatchObject({ memory: false, refusals: [{ code: 'file-refused' }] });
    expect(planWith(where, source, { inMemory: 'always' })).toMatchObject({ memory: true, files: [], refusals: [] });
  });

  it('is written through the link by which the program is started', async () => {
    const where = await rooted((inside) => {
      write(join(inside, 'opt/v1/server'), elfImage(), 0o711);
      symlinkSync('../opt/v1/server', join(inside, 'app/program'));
    });
    const staged = stage(where, planWith(where, write(join(where.sources, 'new'), elfImage({ sizeBytes: 5000 }))));
    staged.commit();
    expect(staged.settle()[0]?.changed).toMatchObject({ path: '/opt/v1/server', change: 'replaced' });
    expect(statSync(join(where.inside, 'opt/v1/server'))).toMatchObject({ size: 5000, mode: 0o100711 });
  });

  it.each(['the same file system', 'another'])('comes into an overlay with the image on %s', async (upper) => {
    const layers = temporaryDirectory();
    if (upper === 'another') mountAt(join(layers, 'own'), ['-t', 'tmpfs', 'none']);
    for (const name of ['upper', 'work']) mkdirSync(join(layers, 'own', name), { recursive: true });
    write(join(layers, 'lower/app/program'), elfImage(), 0o755);
    write(join(layers, 'lower/etc/conf'), 'old');
    const options = `lowerdir=${layers}/lower,upperdir=${layers}/own/upper,workdir=${layers}/own/work`;
    const where = await rooted((inside) => void mountAt(inside, ['-t', 'overlay', '-o', options, 'none']));
    const files = [
      copy(write(join(where.sources, 'conf'), 'new'), '/etc/conf'),
      copy(write(join(where.sources, 'more'), 'more'), '/etc/more/'),
    ];
    const plan = planWith(where, write(join(where.sources, 'new'), elfImage({ sizeBytes: 5000 })), { files });
    expect(plan).toMatchObject({ refusals: [], warnings: [], memory: false });
    {
      using staged = stage(where, plan);
      staged.commit();
      expect(text(join(where.inside, 'etc/more/more'))).toBe('more');
    }
    expect(tree(where.inside)).toStrictEqual(['app', 'app/program', 'etc', 'etc/conf']);
    expect([text(join(where.inside, 'etc/conf')), statSync(join(where.inside, 'app/program')).size]).toStrictEqual([
      'old',
      4096,
    ]);
    const staged = stage(where, plan);
    staged.commit();
    expect(staged.settle().map(({ changed }) => changed.path)).toStrictEqual([
      '/app/program',
      '/etc/conf',
      '/etc/more/more',
    ]);
    expect([text(join(where.inside, 'etc/conf')), text(join(layers, 'lower/etc/conf'))]).toStrictEqual(['new', 'old']);
  });
});

describe('without root', () => {
  needs('root', { command: 'gcc' });

  it('a place of others is refused, one of its own is not, and a new executable goes into memory', async () => {
    const uid = 65_534;
    const home = temporaryDirectory();
    chownSync(home, uid, uid);
    const theirs = join(home, 'theirs');
    mkdirSync(theirs);
    write(join(home, 'by-root'), 'x');
    const journals = temporaryDirectory();
    chownSync(journals, uid, uid);
    chmodSync(journals, 0o700);
    const { pid } = await start(
      patched(compile('spin'), () => {}),
      ['0'],
      { uid, gid: uid },
    );
    const source = write(join(home, 'source'), elfImage());
    const plan = (destination: string, replace: boolean): FilePlan => {
      const asked = {
        pid,
        journal: { directory: journals, uid, enginePid: 1, pid, startTicks: startTicks(pid) },
        copies: replace ? [] : [copy(source, destination)],
        replace: replace ? { source, destination } : null,
        lines: 0,
      };
      const fixture = join(import.meta.dirname, '../fixtures/kernel/stage-files.ts');
      const answer = spawnSync(process.execPath, [fixture], {
        input: JSON.stringify(asked),
        encoding: 'utf8',
        uid,
        gid: uid,
      });
      if (answer.status !== 0) throw new Error(answer.stderr);
      return JSON.parse(answer.stdout) as FilePlan;
    };
    expect(said(plan(join(home, 'new'), false))).toStrictEqual([]);
    expect(said(plan(join(theirs, 'new'), false))).toStrictEqual([
      expect.stringMatching(/^file-refused: .*theirs\/new cannot be written: .*theirs answers EACCES/),
    ]);
    expect(said(plan(join(home, 'by-root'), false))).toStrictEqual([
      expect.stringMatching(
        /^file-refused: .*by-root would have to belong to 0:0, and hotexec may not give files away/,
      ),
    ]);
    expect(plan(join(theirs, 'new'), true)).toMatchObject({ memory: true, refusals: [] });
    expect([existsSync(join(theirs, 'new')), readdirSync(theirs)]).toStrictEqual([false, []]);
  });
});
