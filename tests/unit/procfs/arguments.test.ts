// On made-up stacks, with the tricks of real programs played on them; and on real processes at the end.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { readInitialStack, type InitialStack } from '../../../src/procfs/arguments.ts';
import { parseCmdline, parseEnviron } from '../../../src/procfs/cmdline.ts';
import { parseStat } from '../../../src/procfs/stat.ts';
import type { Words } from '../../../src/procfs/words.ts';
import { stackImage, type StackImage } from './stack-image.ts';

const NGINX = ['nginx', '-g', 'daemon off;'];
const ENVIRONMENT = ['PATH=/usr/sbin:/usr/bin', 'HOME=/root', 'EMPTY=', 'LANG=C.UTF-8'];
const HEAP = 0x55d1_0000_1000n;

function texts(words: Words): readonly string[] | string {
  return words.kind === 'intact' ? words.words.map((word) => word.toString('latin1')) : words.why;
}

function kinds(image: StackImage): readonly [argv: string, environ: string] {
  const { argv, environ } = readInitialStack(image.input);
  return [argv.kind, environ.kind];
}

/** Writes a title the way nginx and OpenSSH do: over everything, padded with NULs to the end. */
function writeTitle(image: StackImage, title: string): void {
  const room = Number(image.input.envEnd - image.input.argStart);
  const bytes = Buffer.alloc(room);
  bytes.write(title.slice(0, room - 1));
  image.writeBytes(image.input.argStart, bytes);
}

function readFrom(pid: number): InitialStack {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const read = (address: bigint, sizeBytes: number): Buffer => {
      const buffer = Buffer.alloc(sizeBytes);
      return buffer.subarray(0, readSync(memory, buffer, { position: address }));
    };
    return readInitialStack({ ...parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')), read });
  } finally {
    closeSync(memory);
  }
}

describe('readInitialStack', () => {
  it('gives what execve was given', () => {
    const { argv, environ } = readInitialStack(stackImage(NGINX, ENVIRONMENT).input);
    expect(texts(argv)).toStrictEqual(NGINX);
    expect(texts(environ)).toStrictEqual(ENVIRONMENT);
  });

  it('gives back any words', () => {
    const word = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)));
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 700 }),
        fc.array(word, { maxLength: 700 }),
        (argv, envp) => {
          const stack = readInitialStack(stackImage(argv, envp).input);
          expect(stack).toStrictEqual({
            argv: { kind: 'intact', words: argv },
            environ: { kind: 'intact', words: envp },
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('reads tables longer than a page', () => {
    const argv = Array.from({ length: 3000 }, (_, index) => `argument ${index}`);
    expect(texts(readInitialStack(stackImage(argv, ENVIRONMENT).input).argv)).toStrictEqual(argv);
  });

  it('takes an entry of the environment without = when its pointer is there', () => {
    expect(kinds(stackImage(NGINX, ['PATH=/bin', 'odd', '', '=x']))).toStrictEqual(['intact', 'intact']);
  });

  it('reads an empty argv, which kernels before 5.18 allow', () => {
    expect(readInitialStack(stackImage([], ENVIRONMENT).input).argv).toStrictEqual({ kind: 'intact', words: [] });
  });

  it('gives the first order when getopt has sorted the pointers', () => {
    const image = stackImage(['tail', '/dev/null', '-f'], ENVIRONMENT);
    const [, file = 0n, option = 0n] = image.argv;
    image.writePointer('argv', 1, option);
    image.writePointer('argv', 2, file);
    expect(texts(readInitialStack(image.input).argv)).toStrictEqual(['tail', '/dev/null', '-f']);
  });

  it('gives the first environment after setenv and unsetenv', () => {
    const image = stackImage(NGINX, ENVIRONMENT);
    const [first = 0n, , third = 0n] = image.envp;
    // unsetenv("HOME"), then setenv("LANG", "de"): its new value is on the heap.
    for (const [index, pointer] of [first, third, HEAP, 0n].entries()) image.writePointer('envp', index, pointer);
    expect(texts(readInitialStack(image.input).environ)).toStrictEqual(ENVIRONMENT);
  });

  it('gives the first environment after every entry was unset', () => {
    const image = stackImage(NGINX, ENVIRONMENT);
    for (const index of ENVIRONMENT.keys()) image.writePointer('envp', index, 0n);
    expect(texts(readInitialStack(image.input).environ)).toStrictEqual(ENVIRONMENT);
  });
});

describe('readInitialStack on a process that wrote a title', () => {
  it('sees it when the title reaches into the environment (nginx master)', () => {
    const image = stackImage(NGINX, ENVIRONMENT);
    image.writePointer('argv', 1, 0n);
    for (const index of ENVIRONMENT.keys()) image.writePointer('envp', index, HEAP + BigInt(index * 64));
    writeTitle(image, 'nginx: master process nginx -g daemon off;');
    expect(kinds(image)).toStrictEqual(['overwritten', 'overwritten']);
  });

  it('sees it when the pointers are as they were (sshd)', () => {
    const image = stackImage(['sshd: /usr/sbin/sshd', '-D'], ENVIRONMENT);
    writeTitle(image, 'sshd: listener');
    expect(kinds(image)).toStrictEqual(['overwritten', 'overwritten']);
  });

  it('sees it when there are as many NULs as words were', () => {
    const image = stackImage(['/usr/sbin/sshd', '-D'], []);
    image.writeBytes(image.input.argStart, 'sshd: a title!!!\0\0');
    expect(kinds(image)[0]).toBe('overwritten');
  });

  it('sees it when the other pointers were set to the end (postgres) or to NULL (perl)', () => {
    const image = stackImage(['postgres', '-D', '/data'], []);
    image.writePointer('argv', 1, image.input.argEnd - 1n);
    image.writePointer('argv', 2, image.input.argEnd - 1n);
    expect(kinds(image)[0]).toBe('overwritten');
    const perl = stackImage(['perl', 'x.pl'], []);
    perl.writeBytes(perl.input.argStart, 'title\0   \0');
    perl.writePointer('argv', 1, 0n);
    expect(kinds(perl)[0]).toBe('overwritten');
  });

  it('sees it when argv was copied to the heap (redis)', () => {
    const image = stackImage(NGINX, ENVIRONMENT);
    for (const index of NGINX.keys()) image.writePointer('argv', index, HEAP + BigInt(index * 64));
    expect(texts(readInitialStack(image.input).argv)).toMatch(/^no pointer on the stack leads to word 0, at 0x7ffd/);
  });

  it('keeps the environment when the title stays within the arguments', () => {
    const image = stackImage(['long-program-name', '--with', '--options'], ENVIRONMENT);
    image.writeBytes(image.input.argStart, Buffer.alloc(Number(image.input.argEnd - image.input.argStart)));
    image.writeBytes(image.input.argStart, 'title');
    expect(kinds(image)).toStrictEqual(['overwritten', 'intact']);
  });

  it('sees any title that differs, unless it is a single word exactly as long', () => {
    const words = fc.array(fc.stringMatching(/^[a-z/-]{1,12}$/), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(words, fc.stringMatching(/^[a-z: ]{1,90}$/), (argv, title) => {
        const image = stackImage(argv, ENVIRONMENT);
        for (let index = 1; index < argv.length; index += 1) image.writePointer('argv', index, 0n);
        writeTitle(image, title);
        expect(kinds(image)).toStrictEqual(['overwritten', 'overwritten']);
      }),
    );
  });
});

describe('readInitialStack on an environment that was written over', () => {
  it.each([
    ['the last NUL', (image: StackImage): void => image.writeBytes(image.input.envEnd - 1n, 'x'), 'the NUL behind'],
    [
      'a NUL more',
      (image: StackImage): void => image.writeBytes(image.input.envStart + 2n, '\0'),
      'and 5 are there now',
    ],
    [
      'a NUL less',
      (image: StackImage): void => image.writeBytes((image.envp[1] ?? 0n) - 1n, 'x'),
      'and 3 are there now',
    ],
    [
      'a NUL at another place',
      (image: StackImage): void => image.writeBytes((image.envp[1] ?? 0n) - 1n, 'x\0'),
      'where the stack says one does',
    ],
  ])('sees %s', (_, write, why) => {
    const image = stackImage(NGINX, ENVIRONMENT);
    write(image);
    expect(texts(readInitialStack(image.input).environ)).toContain(why);
  });

  it('doubts an entry without = whose pointer is gone', () => {
    const image = stackImage(NGINX, ['PATH=/bin', 'HOME=/root']);
    image.writeBytes(image.envp[1] ?? 0n, 'HOME-');
    expect(kinds(image)[1]).toBe('intact');
    image.writePointer('envp', 1, HEAP);
    expect(texts(readInitialStack(image.input).environ)).toContain('entry 1 is not NAME=value');
  });
});

describe('readInitialStack where there is nothing to read', () => {
  const { input } = stackImage(NGINX, ENVIRONMENT);

  it.each([
    [
      'without ptrace access',
      { startStack: 0n, argStart: 0n, argEnd: 0n, envStart: 0n, envEnd: 0n },
      'does not say where',
    ],
    ['without memory', { read: () => Buffer.alloc(0) }, 'cannot be read at 0x7ffd12340ff0'],
    ['on no table', { read: () => Buffer.alloc(4096, 0xee) }, 'there is no argument count'],
    ['on a table without end', { read: (_: bigint, size: number) => Buffer.alloc(size, 1).fill(0, 1, 16) }, 'no '],
    ['when the addresses were changed', { argStart: HEAP, argEnd: HEAP + 9n }, 'only 0 of 9 bytes'],
    ['when they were turned round', { argEnd: input.argStart - 1n }, 'does not say where'],
    ['when they are too far apart', { argEnd: input.argStart + (1n << 40n) }, 'which cannot be'],
  ])('%s it says why', (_, change, why) => {
    expect(texts(readInitialStack({ ...input, ...change }).argv)).toContain(why);
  });

  it('gives an answer for any memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.bigInt({ min: 1n, max: 400n }), (bytes, at) => {
        const memory = Buffer.from(bytes);
        const read = (address: bigint, size: number): Buffer =>
          memory.subarray(Number(address) - 1, Number(address) - 1 + size);
        const stack = readInitialStack({
          startStack: 1n,
          argStart: at,
          argEnd: at + 9n,
          envStart: at,
          envEnd: at,
          read,
        });
        expect(['intact', 'overwritten']).toContain(stack.argv.kind);
      }),
    );
  });
});

describe('readInitialStack on real processes', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  it('reads what a process was started with', async () => {
    const started = await start(['sh', '-c', 'export HOME=/x; unset LANG; echo ready; read x', 'ä', '']);
    expect(texts(started.argv)).toStrictEqual([
      'sh',
      '-c',
      'export HOME=/x; unset LANG; echo ready; read x',
      Buffer.from('ä').toString('latin1'),
      '',
    ]);
    expect(texts(started.environ)).toStrictEqual(['HOME=/root', 'LANG=C', 'PATH=/usr/bin:/bin']);
  });

  it('sees that a Node process has set its title', async () => {
    const script = 'process.title = "a title"; console.log("ready"); setInterval(() => {}, 1000)';
    const { argv } = await start([process.execPath, '-e', script]);
    expect(argv.kind).toBe('overwritten');
  });

  async function start([file = '', ...rest]: readonly string[]): Promise<InitialStack> {
    child = spawn(file, rest, {
      env: { HOME: '/root', LANG: 'C', PATH: '/usr/bin:/bin' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.stdout !== null) await once(child.stdout, 'data');
    return readFrom(child.pid ?? 0);
  }
});

describe('parseCmdline', () => {
  it('splits at the NULs', () => {
    expect(texts(parseCmdline(Buffer.from('nginx\0-g\0daemon off;\0')))).toStrictEqual(NGINX);
    expect(texts(parseCmdline(Buffer.from('sh\0-c\0\0')))).toStrictEqual(['sh', '-c', '']);
  });

  it.each([
    ['a title without a final NUL', 'nginx: master process nginx -g daemon off;'],
    ['a title padded with NULs', 'sshd: listener\0\0\0\0'],
    ['no bytes', ''],
  ])('does not take %s for arguments', (_, text) => {
    expect(parseCmdline(Buffer.from(text)).kind).toBe('overwritten');
  });

  it('gives back what was printed', () => {
    // Only NULs behind the first word would be doubted.
    const words = fc.tuple(fc.array(fc.stringMatching(/^[a-z ]{0,8}$/)), fc.stringMatching(/^[a-z ]{1,8}$/));
    fc.assert(
      fc.property(words, ([first, last]) => {
        const argv = [...first, last];
        expect(texts(parseCmdline(Buffer.from(argv.map((word) => `${word}\0`).join(''))))).toStrictEqual(argv);
      }),
    );
  });
});

describe('parseEnviron', () => {
  it('splits at the NULs, and takes an empty environment', () => {
    expect(texts(parseEnviron(Buffer.from('A=1\0B=\0')))).toStrictEqual(['A=1', 'B=']);
    expect(texts(parseEnviron(Buffer.alloc(0)))).toStrictEqual([]);
  });

  it.each(['A=1', 'A=1\0\0', 'rest of a title\0A=1\0', '=1\0'])('does not trust %j', (text) => {
    expect(parseEnviron(Buffer.from(text)).kind).toBe('overwritten');
  });
});
