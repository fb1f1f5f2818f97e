// Files that come into a container: written aside, renamed together, put back together.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { journalBytes } from '../../src/engine/files/planned.ts';
import { mendFiles } from '../../src/engine/files/mend.ts';
import { readState } from '../../src/journal/state.ts';
import { readAttribute, readAttributes, setAttributeAt, type Attribute } from '../../src/rootfs/attributes.ts';
import {
  copy,
  mountAt,
  planCopies,
  planWith,
  rooted,
  stage,
  text,
  thrown,
  tree,
  unstruck,
  write,
} from '../support/kernel/rooted.ts';
import { needs } from '../support/needs.ts';
import { elfImage } from '../unit/elf/elf-image.ts';

/** cap_net_bind_service=ep, as struct vfs_cap_data of revision 2 has it. */
const netBindService: Attribute = {
  name: 'security.capability',
  value: Buffer.from('0100000200040000000000000000000000000000', 'hex'),
};

function give(path: string, attribute: Attribute): void {
  expect(setAttributeAt(path, attribute)).toBe(0);
}

describe('files brought into a container', () => {
  needs('root', { command: 'gcc' });

  it('are nowhere to be seen until the commit, then all there; the old ones are kept', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/conf'), 'old', 0o640));
    chownSync(join(where.inside, 'app/conf'), 1234, 5678);
    const plan = planCopies(
      where,
      copy(write(join(where.sources, 'conf'), 'new', 0o600), '/app/conf'),
      copy(write(join(where.sources, 'more'), 'more', 0o755), '/app/lib/deep/more'),
    );
    expect(plan).toMatchObject({ refusals: [], warnings: [], memory: false });
    const staged = stage(where, plan);
    expect(text(join(where.inside, 'app/conf'))).toBe('old');
    staged.commit();
    const [conf, more] = staged.settle();
    expect(text(join(where.inside, 'app/conf'))).toBe('new');
    expect(statSync(join(where.inside, 'app/conf'))).toMatchObject({ uid: 1234, gid: 5678, mode: 0o100600 });
    expect(statSync(join(where.inside, 'app/lib/deep/more'))).toMatchObject({ uid: 0, mode: 0o100755 });
    const digest = createHash('sha256').update('new').digest('hex');
    expect(conf?.changed).toMatchObject({ path: '/app/conf', change: 'replaced', digest, sizeBytes: 3 });
    expect(text(join(where.inside, conf?.changed.keptAs ?? ''))).toBe('old');
    expect(more?.changed).toMatchObject({ path: '/app/lib/deep/more', change: 'created', keptAs: null });
    expect(tree(join(where.inside, 'app'))).toStrictEqual([
      expect.stringMatching(/^\.hotexec-0b9d7a52-\d+\.old$/),
      'conf',
      'lib',
      'lib/deep',
      'lib/deep/more',
    ]);
    expect(unstruck(where)).toStrictEqual([]);
  });

  it.each(['before', 'after'])('are put back %s the commit, with the directories that were made', async (when) => {
    const where = await rooted((inside) => {
      write(join(inside, 'app/conf'), 'old', 0o640);
      write(join(inside, 'data'), 'old data');
    });
    const [names, { ino }] = [tree(where.inside), statSync(join(where.inside, 'app/conf'))];
    {
      using staged = stage(
        where,
        planCopies(
          where,
          copy(write(join(where.sources, 'conf'), 'new'), '/app/conf'),
          copy(write(join(where.sources, 'data'), 'new'), '/data'),
          copy(write(join(where.sources, 'x'), 'x'), '/a/b/c/'),
        ),
      );
      if (when === 'after') staged.commit();
      expect(existsSync(join(where.inside, 'a/b/c/x'))).toBe(when === 'after');
    }
    expect(tree(where.inside)).toStrictEqual(names);
    expect([text(join(where.inside, 'app/conf')), statSync(join(where.inside, 'app/conf')).ino]).toStrictEqual([
      'old',
      ino,
    ]);
    expect(text(join(where.inside, 'data'))).toBe('old data');
    expect([unstruck(where), where.events.filter(({ kind }) => kind === 'warning')]).toStrictEqual([[], []]);
  });

  it('are merged from a directory: modes, links and what was there', async () => {
    const where = await rooted((inside) => {
      write(join(inside, 'app/site/keep'), 'keep');
      write(join(inside, 'app/site/sub/page'), 'old');
    });
    const site = join(where.sources, 'site');
    write(join(site, 'sub/page'), 'new', 0o444);
    write(join(site, 'other/new\nline'), 'odd name');
    symlinkSync('page', join(site, 'sub/link'));
    chmodSync(join(site, 'other'), 0o711);
    const staged = stage(where, planCopies(where, copy(site, '/app/site', { owner: { uid: 7, gid: 8 } })));
    staged.commit();
    staged.settle();
    const at = (path: string): string => join(where.inside, 'app/site', path);
    expect([text(at('keep')), text(at('sub/page')), text(at('other/new\nline'))]).toStrictEqual([
      'keep',
      'new',
      'odd name',
    ]);
    expect(readlinkSync(at('sub/link'))).toBe('page');
    expect(lstatSync(at('sub/link'))).toMatchObject({ uid: 7, gid: 8 });
    expect(statSync(at('other'))).toMatchObject({ mode: 0o040711, uid: 7, gid: 8 });
    expect(statSync(at('sub/page'))).toMatchObject({ mode: 0o100444, uid: 7, gid: 8 });
  });

  it('leave no trace when one of them cannot be written: the disk is full', async () => {
    const where = await rooted();
    mountAt(join(where.inside, 'small'), ['-t', 'tmpfs', '-o', 'size=1m', 'none']);
    const names = tree(where.inside);
    const plan = planCopies(
      where,
      copy(write(join(where.sources, 'a'), 'a'), '/app/a'),
      copy(write(join(where.sources, 'big'), Buffer.alloc(900_000)), '/small/big', { allowVolume: true }),
    );
    expect(plan.refusals).toStrictEqual([]);
    expect(plan.warnings).toStrictEqual([expect.stringContaining('the volume /small')]);
    // After the look at the room, somebody else takes it.
    const taken = write(join(where.inside, 'small/taken'), Buffer.alloc(600_000));
    const error = thrown(() => stage(where, plan));
    expect(error.code).toBe('file-not-written');
    expect(error.message).toMatch(/^\/small\/big could not be written in the container: ENOSPC/);
    rmSync(taken);
    expect([tree(where.inside), unstruck(where)]).toStrictEqual([names, []]);
  });

  it('are not half a file when the source is written to meanwhile, or when somebody cancels', async () => {
    const where = await rooted();
    const source = write(join(where.sources, 'big'), Buffer.alloc(4 * 1024 * 1024));
    const plan = planCopies(where, copy(source, '/app/big'));
    let looks = 0;
    const grows = (): null => {
      if (looks++ === 1) appendFileSync(source, 'more');
      return null;
    };
    expect(thrown(() => stage(where, plan, { interruption: grows }))).toMatchObject({
      code: 'file-not-written',
      message: expect.stringContaining('was changed while it was read') as string,
    });
    expect(thrown(() => stage(where, plan))).toMatchObject({ code: 'file-not-written' });
    const again = planCopies(where, copy(source, '/app/big'));
    looks = 0;
    const cancels = (): 'cancelled' | null => (looks++ === 2 ? 'cancelled' : null);
    expect(thrown(() => stage(where, again, { interruption: cancels }))).toMatchObject({ code: 'cancelled' });
    expect([tree(join(where.inside, 'app')), unstruck(where)]).toStrictEqual([[], []]);
  });

  it('tell how far they are, not too often', async () => {
    const where = await rooted();
    const sizeBytes = 64 * 1024 * 1024;
    const startedMs = performance.now();
    using _staged = stage(
      where,
      planCopies(where, copy(write(join(where.sources, 'big'), Buffer.alloc(sizeBytes)), '/app/')),
    );
    const told = where.events.filter(({ kind }) => kind === 'upload');
    expect(told.at(-1)).toStrictEqual({
      kind: 'upload',
      path: '/app/big',
      doneBytes: sizeBytes,
      totalBytes: sizeBytes,
    });
    expect(told.length).toBeLessThanOrEqual(2 + (performance.now() - startedMs) / 100);
  });

  it('come in thousands, and the journal has room for each', async () => {
    const where = await rooted();
    const many = join(where.sources, 'many');
    for (let index = 0; index < 600; index++) write(join(many, `d${index % 300}`, `ü${index}`), String(index));
    const plan = planCopies(where, copy(many, '/app/many'));
    const before = readState(where.journal.path)?.sizeBytes ?? 0;
    const staged = stage(where, plan);
    staged.commit();
    expect(text(join(where.inside, 'app/many/d299/ü299'))).toBe('299');
    staged.putBack();
    expect((readState(where.journal.path)?.sizeBytes ?? 0) - before).toBeLessThan(journalBytes(plan));
    expect(tree(join(where.inside, 'app'))).toStrictEqual([]);
  });
});

describe('a new executable', () => {
  needs('root', { command: 'gcc' });

  it('has owner, mode, capabilities and attributes of the old one, which loses its rights when it is kept', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/program'), elfImage(), 0o755));
    const program = join(where.inside, 'app/program');
    chownSync(program, 1000, 1001);
    chmodSync(program, 0o4750);
    give(program, netBindService);
    give(program, { name: 'user.note', value: Buffer.from('kept') });
    const attributes = readAttributes(program);
    const old = statSync(program);
    const plan = planWith(where, write(join(where.sources, 'new'), elfImage({ sizeBytes: 8192 }), 0o600));
    expect(plan).toMatchObject({ refusals: [], warnings: [], memory: false });
    const staged = stage(where, plan);
    staged.commit();
    expect(statSync(program)).toMatchObject({ uid: 1000, gid: 1001, mode: 0o104750, size: 8192 });
    expect(readAttributes(program)).toStrictEqual(attributes);
    const [settled] = staged.settle();
    const kept = join(where.inside, settled?.changed.keptAs ?? '');
    expect(statSync(kept)).toMatchObject({ ino: old.ino, mode: 0o100750 });
    expect(readAttribute(kept, 'security.capability')).toBeNull();
    expect(settled?.kept).toMatchObject({ mode: 0o4750, uid: 1000, gid: 1001, capability: /^[0-9a-f]+$/ });
  });

  it('gives way to the old one with all its rights, even when those had been taken already', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/program'), elfImage(), 0o755));
    const program = join(where.inside, 'app/program');
    chmodSync(program, 0o6711);
    give(program, netBindService);
    const [stat, attributes] = [statSync(program), readAttributes(program)];
    const staged = stage(where, planWith(where, write(join(where.sources, 'new'), elfImage({ sizeBytes: 8192 }))));
    staged.commit();
    const { changes } = readState(where.journal.path) ?? { changes: [] };
    const tools = { root: where.root, strike: (): void => {} };
    expect(mendFiles(changes, tools, true)).toStrictEqual([]);
    expect(mendFiles(changes, tools, false)).toStrictEqual([]);
    expect(statSync(program)).toMatchObject({ ino: stat.ino, mode: stat.mode, uid: 0 });
    expect(readAttributes(program)).toStrictEqual(attributes);
    expect(tree(join(where.inside, 'app'))).toStrictEqual(['program']);
  });

  it('keeps the rights of an old one that has other names too', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/program'), elfImage(), 0o755));
    const program = join(where.inside, 'app/program');
    chmodSync(program, 0o4755);
    linkSync(program, join(where.inside, 'app/same'));
    const staged = stage(where, planWith(where, write(join(where.sources, 'new'), elfImage())));
    staged.commit();
    staged.settle();
    expect(statSync(join(where.inside, 'app/same')).mode).toBe(0o104755);
  });
});
