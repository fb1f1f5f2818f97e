// Files put back from the journal alone, as a mender does it after the engine has been killed, and what stays when others were at work there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planRestored } from '../../src/engine/files/restored.ts';
import { stageFiles } from '../../src/engine/files/stage.ts';
import { mendFiles } from '../../src/engine/files/mend.ts';
import { readState } from '../../src/journal/state.ts';
import type { FileCopy } from '../../src/protocol/request.ts';
import { copy, planCopies, rooted, stage, text, thrown, tree, write, type Rooted } from '../support/kernel/rooted.ts';
import { needs } from '../support/needs.ts';

const fixture = join(import.meta.dirname, '../fixtures/kernel/stage-files.ts');

/** Stages, and commits if there is a line more, in a process of its own that kills itself after so many lines. Returns its signal. */
function stageAndDie(where: Rooted, copies: readonly FileCopy[], lines: number): NodeJS.Signals | null {
  const asked = { pid: where.pid, journal: where.journalPlace, copies, lines };
  const { signal, stderr } = spawnSync(process.execPath, [fixture], { input: JSON.stringify(asked), encoding: 'utf8' });
  if (signal === null) throw new Error(stderr);
  return signal;
}

describe('after hotexec was killed', () => {
  needs('root', { command: 'gcc' });

  it('the journal alone is enough to put all back, and a second time nothing is done', async () => {
    const where = await rooted((inside) => {
      write(join(inside, 'app/conf'), 'old', 0o640);
      write(join(inside, 'app/dir/other'), 'old other');
    });
    const names = tree(where.inside);
    const plan = planCopies(
      where,
      copy(write(join(where.sources, 'conf'), 'new'), '/app/conf'),
      copy(write(join(where.sources, 'other'), 'new'), '/app/dir/other'),
      copy(write(join(where.sources, 'x'), 'x'), '/made/here/x'),
    );
    for (const committed of [false, true]) {
      const staged = stage(where, plan);
      if (committed) staged.commit();
      const { changes } = readState(where.journal.path) ?? { changes: [] };
      expect(changes.length).toBeGreaterThan(6);
      const struck: number[] = [];
      const tools = { root: where.root, strike: (id: number): void => void struck.push(id) };
      expect(mendFiles(changes, tools, false)).toStrictEqual([]);
      expect(struck).toHaveLength(changes.length);
      expect([tree(where.inside), text(join(where.inside, 'app/conf'))]).toStrictEqual([names, 'old']);
      expect(text(join(where.inside, 'app/dir/other'))).toBe('old other');
      // A second time, and by the scope that has not heard of it.
      expect(mendFiles(changes, tools, false)).toStrictEqual([]);
      staged.putBack();
      expect(tree(where.inside)).toStrictEqual(names);
    }
    // Lines whose effect never happened.
    const staged = stage(where, plan);
    const { changes } = readState(where.journal.path) ?? { changes: [] };
    staged.putBack();
    write(join(where.inside, 'made/here/x'), 'of somebody else');
    // Where the directory has another number it is said; where it has got the same again, the file tells.
    expect(mendFiles(changes, { root: where.root, strike: () => {} }, false).length).toBeLessThan(2);
    expect(text(join(where.inside, 'made/here/x'))).toBe('of somebody else');
    expect(text(join(where.inside, 'app/conf'))).toBe('old');
  });

  it('a file that the container itself has put there meanwhile stays', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/conf'), 'old'));
    const plan = planCopies(
      where,
      copy(write(join(where.sources, 'conf'), 'new'), '/app/conf'),
      copy(write(join(where.sources, 'more'), 'more'), '/app/more'),
    );
    const staged = stage(where, plan);
    renameSync(write(join(where.inside, 'app/theirs'), 'theirs'), join(where.inside, 'app/conf'));
    write(join(where.inside, 'app/more'), 'theirs too');
    expect(thrown(() => staged.commit())).toMatchObject({
      code: 'file-not-written',
      message: expect.stringContaining('/app/conf could not be written') as string,
    });
    staged.putBack();
    expect(tree(join(where.inside, 'app'))).toStrictEqual(['conf', 'more']);
    expect([text(join(where.inside, 'app/conf')), text(join(where.inside, 'app/more'))]).toStrictEqual([
      'theirs',
      'theirs too',
    ]);
  });

  it('a directory that was exchanged meanwhile is left alone', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/conf'), 'old'));
    const staged = stage(where, planCopies(where, copy(write(join(where.sources, 'conf'), 'new'), '/app/conf')));
    renameSync(join(where.inside, 'app'), join(where.inside, 'moved'));
    mkdirSync(join(where.inside, 'app'));
    writeFileSync(join(where.inside, 'app/conf'), 'another');
    expect(thrown(() => staged.commit()).message).toContain('/app was replaced by another directory meanwhile');
    staged.putBack();
    expect(tree(where.inside)).toStrictEqual(['app', 'app/conf', 'moved', 'moved/conf']);
    expect(text(join(where.inside, 'moved/conf'))).toBe('old');
  });

  it('at whatever line: nothing of it stays', async () => {
    const where = await rooted((inside) => void write(join(inside, 'app/conf'), 'old', 0o640));
    const names = tree(where.inside);
    const copies = [
      copy(write(join(where.sources, 'conf'), 'new'), '/app/conf'),
      copy(write(join(where.sources, 'x'), 'x'), '/made/x'),
    ];
    // The journal is locked by whoever is at work.
    where.journal[Symbol.dispose]();
    for (let lines = 1; lines <= 7; lines++) {
      expect([lines, stageAndDie(where, copies, lines)]).toStrictEqual([lines, 'SIGKILL']);
      const { changes } = readState(where.journal.path) ?? { changes: [] };
      expect(changes).toHaveLength(Math.min(lines, 6));
      expect(mendFiles(changes, { root: where.root, strike: () => {} }, false)).toStrictEqual([]);
      expect([lines, tree(where.inside), text(join(where.inside, 'app/conf'))]).toStrictEqual([lines, names, 'old']);
    }
  });
});

describe('the files of an earlier version', () => {
  needs('root', { command: 'gcc' });

  it.each(['put back', 'settled'])('come back and go, and that is %s in its turn', async (end) => {
    const where = await rooted((inside) => void write(join(inside, 'app/conf'), 'old', 0o4750));
    const first = stage(
      where,
      planCopies(
        where,
        copy(write(join(where.sources, 'conf'), 'new', 0o600), '/app/conf'),
        copy(write(join(where.sources, 'more'), 'more'), '/app/more'),
      ),
    );
    first.commit();
    const files = first.settle().map(({ changed, kept }) => ({
      path: changed.path,
      before: kept === null ? null : { ...kept, keptAs: changed.keptAs ?? '' },
    }));
    const plan = planRestored(where.root, where.observed, files);
    expect(plan).toMatchObject({ refusals: [], warnings: [] });
    const names = tree(where.inside);
    const operationId = 'back0000-5c39-4c2f-8a52-5a3a5f6f7a11';
    const back = stageFiles(plan, { journal: where.journal, host: where.host, root: where.root, operationId });
    back.commit();
    expect(text(join(where.inside, 'app/conf'))).toBe('old');
    expect(statSync(join(where.inside, 'app/conf')).mode).toBe(0o104750);
    expect(readdirSync(join(where.inside, 'app'))).not.toContain('more');
    const { changes } = readState(where.journal.path) ?? { changes: [] };
    const tools = { root: where.root, strike: (): void => {} };
    expect(end === 'put back' ? mendFiles(changes, tools, false) : []).toStrictEqual([]);
    const settled = end === 'put back' ? [] : back.settle();
    expect(settled.map(({ changed }) => [changed.path, changed.change])).toStrictEqual(
      end === 'put back'
        ? []
        : [
            ['/app/conf', 'replaced'],
            ['/app/more', 'removed'],
          ],
    );
    expect(text(join(where.inside, 'app/conf'))).toBe(end === 'put back' ? 'new' : 'old');
    expect(tree(where.inside).length).toBe(end === 'put back' ? names.length : names.length + 1);
  });
});
