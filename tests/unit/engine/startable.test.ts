import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import { homeDirectory, lookUpFile, whyNotStartable } from '../../../src/engine/startable.ts';
import { ProcessRoot } from '../../../src/rootfs/open.ts';
import { needs } from '../../support/needs.ts';
import { tempDirectory } from '../../support/temp.ts';
import { rootAt } from '../rootfs/root-at.ts';
import { elfImage, type ElfImageOptions } from '../elf/elf-image.ts';

function root(): ProcessRoot {
  const opened = new ProcessRoot(process.pid);
  onTestFinished(() => opened[Symbol.dispose]());
  return opened;
}

function file(content: string | Buffer, mode = 0o755, name = 'program'): string {
  const path = join(tempDirectory(), name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function elf(options: ElfImageOptions = {}): string {
  return file(elfImage(options));
}

function withLoader(loader: string): string {
  const path = Buffer.from(`${loader}\0`);
  const image = elfImage({ segments: [{ type: 3, offset: 1024, fileSizeBytes: path.length }] });
  path.copy(image, 1024);
  return file(image);
}

/** The sentence, with the path of the program as PROGRAM. */
function why(path: string): string | undefined {
  return whyNotStartable(root(), path)?.replaceAll(path, 'PROGRAM');
}

describe('a program that can be started', () => {
  it.each([
    ['with a loader', () => withLoader('/bin/sh')],
    ['without a loader', () => elf()],
    ['of a fixed address', () => elf({ type: 2 })],
    ['named by a symlink', () => linkTo(elf())],
    ['executable by others only', () => file(elfImage(), 0o001)],
    ['a script', () => file('#!/bin/sh\n')],
    ['a script of a script', () => file(`#!${file('#!/bin/sh -e\n')} x\n`)],
    ['this very Node', () => process.execPath],
  ])('%s: nothing is said', (_, make) => {
    expect(why(make())).toBeUndefined();
  });
});

describe('a program that cannot be started: why', () => {
  it.each([
    ['missing', () => '/nowhere/at/all', 'PROGRAM cannot be opened: ENOENT (no such file or directory)'],
    ['below a file', () => `${elf()}/x`, 'PROGRAM cannot be opened: ENOTDIR (not a directory)'],
    ['a symlink to itself', loop, 'PROGRAM cannot be opened: ELOOP (too many symbolic links encountered)'],
    ['a path too long', () => `/${'x'.repeat(5000)}`, 'PROGRAM cannot be opened: ENAMETOOLONG (name too long)'],
    ['a directory', () => tempDirectory(), 'PROGRAM is not a regular file'],
    ['a FIFO', fifo, 'PROGRAM is not a regular file'],
    ['a device', () => '/dev/null', 'PROGRAM is not a regular file'],
    ['not executable', () => file(elfImage(), 0o644), 'PROGRAM is not executable (mode 0644)'],
    ['of no mode at all', () => file(elfImage(), 0), 'PROGRAM is not executable (mode 0000)'],
    ['setuid, but not executable', () => file(elfImage(), 0o4644), 'PROGRAM is not executable (mode 4644)'],
    ['empty', () => file(''), 'PROGRAM is empty'],
    ['a text', () => file('echo hello\n'), 'PROGRAM is neither an ELF program nor a script with a #! line'],
    ['#! and nothing', () => file('#!\n'), 'PROGRAM begins with #! but it names no interpreter'],
    [
      '#! and too much',
      () => file(`#!/${'x'.repeat(300)}\n`),
      'PROGRAM begins with #! but the interpreter path does not end within the first 256 bytes',
    ],
    [
      'a script without its interpreter',
      () => file('#!/usr/bin/nonesuch -x\n'),
      'its interpreter /usr/bin/nonesuch cannot be opened: ENOENT (no such file or directory)',
    ],
    [
      'a script with CRLF',
      () => file('#!/bin/sh\r\n'),
      'its interpreter /bin/sh\r cannot be opened: ENOENT (no such file or directory)',
    ],
    [
      'a script whose interpreter is a device',
      () => file('#!/dev/null\n'),
      'its interpreter /dev/null is not a regular file',
    ],
    [
      'an ELF file that breaks off',
      () => file(elfImage().subarray(0, 20)),
      expect.stringMatching(/^PROGRAM is not a usable ELF file: .+/),
    ],
    [
      '32-bit',
      () => elf({ class: 32, machine: 3 }),
      'PROGRAM is a 32-bit program; hotexec starts 64-bit programs only',
    ],
    ['of another CPU', () => elf({ machine: 183 }), 'PROGRAM is a program for aarch64; this machine is x86-64'],
    ['of a CPU nobody knows', () => elf({ machine: 9999 }), 'PROGRAM is a program for unknown; this machine is x86-64'],
    ['an object file', () => elf({ type: 1 }), 'PROGRAM is an ELF file, but not a program'],
    ['a core dump', () => elf({ type: 4 }), 'PROGRAM is an ELF file, but not a program'],
    [
      'half copied',
      () => elf({ segments: [{ type: 1, offset: 0, fileSizeBytes: 100_000 }] }),
      'PROGRAM is incomplete: PT_LOAD segment 0 ends at byte 100000, but the file has 4096 bytes',
    ],
    [
      'without its loader (an Alpine image, a glibc program)',
      () => withLoader('/lib64/ld-nonesuch.so.2'),
      'the loader /lib64/ld-nonesuch.so.2 that PROGRAM needs cannot be opened: ENOENT (no such file or directory)',
    ],
  ])('%s', (_, make, sentence) => {
    expect(why(make())).toStrictEqual(sentence);
  });
});

// exit(0) at 0x1000; one segment, told at 0x11000.
function program(): string {
  const image = elfImage({
    sizeBytes: 0x1_2000,
    entry: 0x1000n,
    segments: [{ type: 1, flags: 5, offset: 0, fileSizeBytes: 0x1100 }],
  });
  image.writeBigUInt64LE(0x1100n, 64 + 40);
  image.writeBigUInt64LE(0x1000n, 64 + 48);
  Buffer.from('31ffb83c0000000f05', 'hex').copy(image, 0x1000);
  image.copy(image, 0x1_1000, 64, 64 + 56);
  image.writeBigUInt64LE(0x1_1000n, 32);
  return file(image);
}

describe('a program whose table of segments lies far from its beginning', () => {
  it('is started by the kernel', () => {
    expect(spawnSync(program())).toMatchObject({ status: 0 });
  });

  it('is not refused', () => {
    expect(why(program())).toBeUndefined();
  });
});

/** The last of so many scripts, each the interpreter of the next; the first runs /bin/true. */
function chain(length: number): string {
  const directory = tempDirectory();
  copyFileSync('/bin/true', join(directory, '0'));
  for (let index = 1; index <= length; index++)
    writeFileSync(join(directory, String(index)), `#!${directory}/${index - 1}\n`, { mode: 0o755 });
  return join(directory, String(length));
}

const kernelTakes = (path: string): boolean => spawnSync(path).error === undefined;

describe('scripts of scripts', () => {
  it.each([1, 2, 3, 4, 6, 7])('are taken where the kernel takes them: %d in a row', (length) => {
    const path = chain(length);
    expect(why(path) === undefined).toBe(kernelTakes(path));
  });

  it('are taken where the kernel takes them: 5 in a row', () => {
    const path = chain(5);
    expect(why(path) === undefined).toBe(kernelTakes(path));
  });

  it('that go in a circle are refused', () => {
    const directory = tempDirectory();
    writeFileSync(join(directory, 'a'), `#!${directory}/b\n`, { mode: 0o755 });
    writeFileSync(join(directory, 'b'), `#!${directory}/a\n`, { mode: 0o755 });
    expect(why(join(directory, 'a'))).toMatch(
      /^its interpreter \S+ is the 6th script in a row, and the kernel takes 5$/,
    );
  });
});

describe('what stands at a path', () => {
  it.each([
    ['program', () => elf()],
    ['program', () => linkTo(elf())],
    ['script', () => file('#!/bin/sh\n')],
    ['script', () => linkTo(file('#!/bin/sh\n'))],
    ['other', () => file('#!/bin/sh\n', 0o644)],
    ['other', () => tempDirectory()],
    ['other', fifo],
    ['other', () => '/dev/null'],
    ['missing', () => '/nowhere'],
    ['missing', loop],
    ['missing', () => ''],
  ])('is a %s', (kind, make) => {
    expect(lookUpFile(root(), make())).toBe(kind);
  });
});

describe('the home directory of a user of the container', () => {
  needs('root', { command: 'gcc' });

  const passwd = [
    'root:x:0:0:root:/root:/bin/sh',
    'nginx:x:101:101:nginx user,,,:/var/cache/nginx:/sbin/nologin',
    'twice:x:101:101::/elsewhere:/bin/sh',
    'short:x:102',
    '',
  ].join('\n');

  it.each([
    [0, '/root'],
    [101, '/var/cache/nginx'],
    [102, null],
    [9, null],
  ])('of uid %d is %s', async (uid, home) => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'etc'));
    writeFileSync(join(directory, 'etc/passwd'), passwd);
    using rooted = await rootAt(directory);
    expect(homeDirectory(rooted, uid)).toBe(home);
  });

  it.each([
    ['no /etc/passwd', undefined],
    ['a /etc/passwd that is a FIFO', 'fifo'],
  ])('is not known with %s', async (_, what) => {
    const directory = tempDirectory();
    mkdirSync(join(directory, 'etc'));
    if (what === 'fifo') execFileSync('mkfifo', [join(directory, 'etc/passwd')]);
    using rooted = await rootAt(directory);
    expect(homeDirectory(rooted, 0)).toBeNull();
  });
});

function linkTo(path: string): string {
  const link = join(tempDirectory(), 'link');
  symlinkSync(path, link);
  return link;
}

function loop(): string {
  const link = join(tempDirectory(), 'loop');
  symlinkSync(link, link);
  return link;
}

function fifo(): string {
  const path = join(tempDirectory(), 'fifo');
  execFileSync('mkfifo', [path]);
  chmodSync(path, 0o755);
  return path;
}
