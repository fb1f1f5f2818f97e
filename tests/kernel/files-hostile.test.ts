// An image that wants files written elsewhere, and places that take none: nothing outside the root ever changes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  copy,
  mountAt,
  planCopies,
  rooted,
  stage,
  text,
  thrown,
  tree,
  write,
  type Rooted,
} from '../support/kernel/rooted.ts';
import { needs } from '../support/needs.ts';

/** Beside the root lies a file that must never change. */
async function hostile(prepare: (inside: string) => void = () => {}): Promise<Rooted> {
  const where = await rooted((inside) => {
    mkdirSync(join(inside, 'etc'));
    prepare(inside);
  });
  write(join(where.outside, 'secret'), 'outside');
  mkdirSync(join(where.outside, 'directory'));
  return where;
}

function expectOutsideUntouched({ outside }: Rooted): void {
  expect(readdirSync(outside).toSorted()).toStrictEqual(['directory', 'rootfs', 'secret']);
  expect([readdirSync(join(outside, 'directory')), text(join(outside, 'secret'))]).toStrictEqual([[], 'outside']);
}

function bring(where: Rooted, destination: string): string {
  const plan = planCopies(where, copy(write(join(where.sources, 'new'), 'new'), destination));
  if (plan.refusals.length > 0) return plan.refusals.map(({ code, message }) => `${code}: ${message}`).join();
  const staged = stage(where, plan);
  staged.commit();
  return staged
    .settle()
    .map(({ changed }) => changed.path)
    .join();
}

describe('a hostile image', () => {
  needs('root', { command: 'gcc' });

  it.each([
    ['an absolute link', '/secret', '/secret'],
    ['a link that goes up', '../../../../secret', '/secret'],
    ['a link to a link', 'second', '/secret'],
    ['a link into a directory that is a link', '/slash/etc/../deep/x', '/deep/x'],
  ])('cannot lead a file out by %s: it is written where that leads inside', async (_, link, path) => {
    const where = await hostile((inside) => {
      symlinkSync(link, join(inside, 'etc/link'));
      symlinkSync('../secret', join(inside, 'etc/second'));
      symlinkSync('/', join(inside, 'slash'));
    });
    expect(bring(where, '/etc/link')).toBe(path);
    expect(text(join(where.inside, path))).toBe('new');
    expectOutsideUntouched(where);
  });

  it('cannot lead a directory out', async () => {
    const where = await hostile((inside) => {
      symlinkSync('../../../directory', join(inside, 'etc/up'));
      symlinkSync(join(inside, '../directory'), join(inside, 'etc/there'));
    });
    const source = join(where.sources, 'tree');
    write(join(source, 'x'), 'x');
    for (const name of ['up', 'there']) {
      const plan = planCopies(where, copy(source, `/etc/${name}`));
      if (plan.refusals.length === 0) stage(where, plan).commit();
    }
    expect(bring(where, '/etc/up/new')).toMatch(/^\/directory\/new$|is there, but leads to no directory/);
    expectOutsideUntouched(where);
  });

  it('cannot keep hotexec going round in links, nor lead it through /proc', async () => {
    const where = await hostile((inside) => {
      symlinkSync('loop', join(inside, 'loop'));
      symlinkSync('ping', join(inside, 'pong'));
      symlinkSync('pong', join(inside, 'ping'));
    });
    mountAt(join(where.inside, 'proc'), ['-t', 'proc', 'proc']);
    symlinkSync(`/proc/${process.pid}/root`, join(where.inside, 'magic'));
    symlinkSync(`/proc/${process.pid}/root/secret`, join(where.inside, 'file'));
    for (const path of ['/loop', '/ping', '/loop/x', '/magic/secret', '/magic', '/file', `/proc/${process.pid}/root/x`])
      expect(bring(where, path)).toMatch(/^file-refused: .*ELOOP/);
    expect(bring(where, '/proc/sys/kernel/core_pattern')).toMatch(/^file-refused: .*special file system \(proc\)/);
    expectOutsideUntouched(where);
  });

  it('cannot lead a file out by whatever path is made of its links', async () => {
    const where = await hostile((inside) => {
      symlinkSync('/', join(inside, 'slash'));
      symlinkSync('../../..', join(inside, 'etc/up'));
      symlinkSync('/etc/../..', join(inside, 'etc/both'));
    });
    const part = fc.constantFrom('..', '.', '', 'etc', 'slash', 'up', 'both', 'secret', 'rootfs', 'directory');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 10 }), (parts) => {
        const plan = planCopies(where, copy(write(join(where.sources, 'new'), 'new'), `/${parts.join('/')}`));
        if (plan.refusals.length === 0) {
          using staged = stage(where, plan);
          staged.commit();
        }
        expectOutsideUntouched(where);
      }),
      { numRuns: 150 },
    );
    expect(tree(where.inside).filter((name) => name.includes('.hotexec'))).toStrictEqual([]);
  });

  it('cannot lead a file out by exchanging a directory during the upload', async () => {
    const where = await hostile((inside) => void write(join(inside, 'app/conf'), 'old'));
    const plan = planCopies(where, copy(write(join(where.sources, 'new'), Buffer.alloc(3_000_000)), '/app/conf'));
    let looks = 0;
    const exchange = (): null => {
      if (looks++ !== 1) return null;
      renameSync(join(where.inside, 'app'), join(where.inside, 'moved'));
      symlinkSync('../../directory', join(where.inside, 'app'));
      return null;
    };
    const staged = stage(where, plan, { interruption: exchange });
    expect(thrown(() => staged.commit()).code).toBe('file-not-written');
    staged.putBack();
    expect([readdirSync(join(where.inside, 'moved')), text(join(where.inside, 'moved/conf'))]).toStrictEqual([
      ['conf'],
      'old',
    ]);
    expectOutsideUntouched(where);
  });

  it('cannot have another file renamed in place of the new one', async () => {
    const where = await hostile((inside) => void write(join(inside, 'app/conf'), 'old'));
    const staged = stage(where, planCopies(where, copy(write(join(where.sources, 'new'), 'new'), '/app/conf')));
    const temporary = readdirSync(join(where.inside, 'app')).find((name) => /^\.hotexec-.*-\d+$/.test(name)) ?? '';
    unlinkSync(join(where.inside, 'app', temporary));
    symlinkSync('/etc/theirs', join(where.inside, 'app', temporary));
    expect(thrown(() => staged.commit()).message).toContain('the new file was replaced by another one meanwhile');
    staged.putBack();
    expect([readdirSync(join(where.inside, 'app')), text(join(where.inside, 'app/conf'))]).toStrictEqual([
      ['conf'],
      'old',
    ]);
  });
});

describe('a place that takes no file', () => {
  needs('root', { command: 'gcc' });

  it('is named with the reason: FIFO, device, file as directory, relative, up, dead link', async () => {
    const where = await hostile((inside) => {
      execFileSync('mkfifo', [join(inside, 'fifo')]);
      write(join(inside, 'file'), 'x');
      symlinkSync('/nowhere', join(inside, 'dead'));
    });
    expect(bring(where, '/fifo')).toMatch(/^file-refused: \/fifo is a device, a FIFO or a socket/);
    expect(bring(where, '/file/x')).toMatch(/^file-refused: .*ENOTDIR/);
    expect(bring(where, 'relative')).toMatch(/^usage: "relative" cannot be a destination/);
    expect(bring(where, '/x\0y')).toMatch(/^usage: /);
    expect(bring(where, '/missing/../x')).toMatch(/^file-refused: .*ENOENT/);
    expect(bring(where, '/dead/x')).toMatch(/^file-refused: .*\/dead is there, but leads to no directory/);
    expect(bring(where, '/dead')).toBe('/nowhere');
    expect(bring(where, '/dev/x')).toMatch(/^file-refused: .*special file system/);
    expectOutsideUntouched(where);
  });

  it('is named with its mount: read-only, a volume, a mounted file, what the kubelet fills', async () => {
    const where = await hostile();
    const at = (path: string): string => join(where.inside, path);
    write(at('hosts'), 'x');
    execFileSync('mount', ['--bind', write(join(where.sources, 'hosts'), 'mounted'), at('hosts')]);
    try {
      mountAt(at('volume'), ['-t', 'tmpfs', 'none']);
      mountAt(at('ro'), ['-t', 'tmpfs', '-o', 'ro', 'none']);
      const secret = mountAt(at('run/secret'), ['-t', 'tmpfs', 'none']);
      mkdirSync(join(secret, '..2026'));
      symlinkSync('..2026', join(secret, '..data'));
      const kubelet = join(where.sources, 'pods/uid/volumes/kubernetes.io~configmap/web');
      write(join(kubelet, 'web.conf'), 'x');
      mountAt(at('config'), ['--bind', kubelet]);
      expect(bring(where, '/hosts')).toMatch(/^file-refused: \/hosts is a mount of its own/);
      expect(bring(where, '/volume/x')).toMatch(
        /^file-refused: \/volume\/x is on a volume \(\/?.*volume, tmpfs none\)/,
      );
      expect(bring(where, '/run/secret/x')).toMatch(/^file-refused: .*ConfigMap, Secret or projected volume/);
      expect(bring(where, '/config/web.conf')).toMatch(/^file-refused: .*a ConfigMap: the kubelet writes it anew/);
      const source = write(join(where.sources, 'new'), 'new');
      const readOnly = planCopies(where, copy(source, '/ro/x', { allowVolume: true }));
      expect(readOnly.refusals[0]?.message).toMatch(/^\/ro\/x is on a read-only file system/);
      const kept = planCopies(where, copy(source, '/config/web.conf', { allowVolume: true }));
      expect(kept.refusals[0]?.code).toBe('file-refused');
      const staged = stage(where, planCopies(where, copy(source, '/volume/x', { allowVolume: true })));
      staged.commit();
      staged.settle();
      expect([text(at('volume/x')), readFileSync(join(where.sources, 'hosts'), 'utf8')]).toStrictEqual([
        'new',
        'mounted',
      ]);
      expect(statSync(at('volume/x')).mode).toBe(0o100644);
    } finally {
      execFileSync('umount', [at('hosts')]);
    }
    expectOutsideUntouched(where);
  });
});
