import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessRoot } from '../../../src/rootfs/open.ts';
import { needs } from '../../support/needs.ts';
import { tempDirectory } from '../../support/temp.ts';
import { rootAt } from './root-at.ts';

const ENOENT = 2;
const ENAMETOOLONG = 36;
const ELOOP = 40;

const own = (): ProcessRoot => {
  const root = new ProcessRoot(process.pid);
  onTestFinished(() => root[Symbol.dispose]());
  return root;
};

describe('the files of a process', () => {
  it('are read from their beginning, no more than is asked for', () => {
    const path = join(tempDirectory(), 'file');
    writeFileSync(path, 'abcdef');
    expect(startOf(own(), path, 4)).toBe('abcd');
    expect(startOf(own(), path, 100)).toBe('abcdef');
  });

  it('are told by kind without being opened', () => {
    const path = join(tempDirectory(), 'fifo');
    execFileSync('mkfifo', [path]);
    const stat = own().stat(path);
    expect(typeof stat === 'object' && stat.isFIFO()).toBe(true);
  });

  it.each([
    ['a directory', () => tempDirectory()],
    ['a device', () => '/dev/zero'],
    [
      'a FIFO, which would wait for a writer',
      (): string => {
        const path = join(tempDirectory(), 'fifo');
        execFileSync('mkfifo', [path]);
        return path;
      },
    ],
  ])('are not read when one is %s', (_, make) => {
    expect(own().readStart(make(), 16)).toBeUndefined();
  });

  it.each([
    ['missing', '/nowhere', -ENOENT],
    ['no path at all', '', -ENOENT],
    ['a path of 5000 bytes', `/${'x/'.repeat(2500)}`, -ENAMETOOLONG],
    ['a path of 4096 bytes', `/${'x/'.repeat(2048)}`.slice(0, 4096), -ENAMETOOLONG],
    ['a path of 5000 bytes in 2500 characters', `/${'ä'.repeat(2500)}`, -ENAMETOOLONG],
    ['a path with a NUL', '/etc/passwd\0.png', -ENAMETOOLONG],
  ])('answer -errno: %s', (_, path, errno) => {
    expect([own().lookUp(path), own().stat(path), own().readStart(path, 16)]).toStrictEqual([errno, errno, errno]);
  });

  it('do not keep anything of a longer path asked for before', () => {
    const root = own();
    root.stat('/nowhere/but/long');
    expect(typeof root.stat('/')).toBe('object');
  });

  it('leave no descriptor behind', () => {
    const paths = [tempDirectory(), '/dev/zero', '/nowhere', '/etc/passwd', process.execPath];
    {
      using root = new ProcessRoot(process.pid);
      for (const path of paths) {
        root.stat(path);
        root.readStart(path, 16);
      }
    }
    expect(openFiles().filter((name) => name === '/' || paths.includes(name))).toStrictEqual([]);
  });
});

// Beside the root lies a file that must never be read; inside, one of the same name that may.
async function hostile(): Promise<{ readonly root: ProcessRoot; readonly inside: string; readonly outside: string }> {
  const outside = tempDirectory();
  const inside = join(outside, 'rootfs');
  mkdirSync(join(inside, 'etc'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'outside');
  writeFileSync(join(inside, 'secret'), 'inside');
  const root = await rootAt(inside);
  onTestFinished(() => root[Symbol.dispose]());
  return { root, inside, outside };
}

describe('a hostile image', () => {
  needs('root', { command: 'gcc' });

  it('leads nowhere with absolute links and with ..', async () => {
    const { root, inside, outside } = await hostile();
    const links = ['/secret', '../../../../secret', '../secret', '/../secret', '//secret', './../../secret'];
    for (const [index, link] of links.entries()) symlinkSync(link, join(inside, 'etc', `link${index}`));
    symlinkSync('/', join(inside, 'etc/slash'));
    symlinkSync('..', join(inside, 'etc/up'));
    const paths = links.flatMap((link, index) => [`/etc/link${index}`, link]);
    const more = ['/etc/slash/secret', '/etc/up/secret', '/etc/slash/../secret', 'secret'];
    for (const path of [...paths, ...more]) expect([path, startOf(root, path)]).toStrictEqual([path, 'inside']);
    symlinkSync(join(outside, 'secret'), join(inside, 'etc/there'));
    expect(root.stat('/etc/there')).toBe(-ENOENT);
    expect(root.stat(join(outside, 'secret'))).toBe(-ENOENT);
  });

  it('leads nowhere with a link to itself, or a long row of links', async () => {
    const { root, inside } = await hostile();
    symlinkSync('loop', join(inside, 'loop'));
    symlinkSync('ping', join(inside, 'pong'));
    symlinkSync('pong', join(inside, 'ping'));
    symlinkSync('secret', join(inside, 'row0'));
    for (let index = 1; index <= 50; index++) symlinkSync(`row${index - 1}`, join(inside, `row${index}`));
    expect([root.stat('/loop'), root.stat('/ping'), root.stat('/row50')]).toStrictEqual([-ELOOP, -ELOOP, -ELOOP]);
    expect(startOf(root, '/row39')).toBe('inside');
  });

  it('leads nowhere with the links of a /proc that it has', async () => {
    const { root, inside } = await hostile();
    mkdirSync(join(inside, 'proc'));
    execFileSync('mount', ['-t', 'proc', 'proc', join(inside, 'proc')]);
    onTestFinished(() => void execFileSync('umount', ['-l', join(inside, 'proc')]));
    const { pid } = process;
    const links = [`${pid}/root`, `${pid}/cwd`, `${pid}/exe`, `${pid}/fd/0`, `${pid}/ns/mnt`, 'self/root'];
    for (const [index, link] of links.entries()) symlinkSync(`/proc/${link}`, join(inside, `magic${index}`));
    for (const [index, link] of links.entries())
      expect([link, root.stat(`/magic${index}`), root.stat(`/proc/${link}`)]).toStrictEqual([link, -ELOOP, -ELOOP]);
    expect(root.stat(`/proc/${pid}/root/etc/passwd`)).toBe(-ELOOP);
  });

  it('gives the file that was looked up, whatever the path means a moment later', async () => {
    const { root, inside } = await hostile();
    const fd = root.lookUp('/secret');
    onTestFinished(() => closeSync(fd));
    expect(fstatSync(fd).ino).toBe(statSync(join(inside, 'secret')).ino);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe(join(inside, 'secret'));
  });

  it('never leads out, whatever path is made of its links', async () => {
    const { root, inside } = await hostile();
    symlinkSync('/', join(inside, 'slash'));
    symlinkSync('../../..', join(inside, 'etc/up'));
    symlinkSync('/etc/../..', join(inside, 'etc/both'));
    const part = fc.constantFrom('..', '.', '', 'etc', 'slash', 'up', 'both', 'secret', 'rootfs', 'tmp');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.boolean(), (parts, absolute) => {
        const fd = root.lookUp(`${absolute ? '/' : ''}${parts.join('/')}`);
        if (fd < 0) return;
        try {
          expect(`${readlinkSync(`/proc/self/fd/${fd}`)}/`).toMatch(new RegExp(`^${inside}/`));
        } finally {
          closeSync(fd);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function startOf(root: ProcessRoot, path: string, sizeBytes = 64): string | number | undefined {
  const file = root.readStart(path, sizeBytes);
  return typeof file === 'object' ? file.start.toString() : file;
}

function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the descriptor of this very listing
    }
  });
}
