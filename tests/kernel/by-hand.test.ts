// docs/by-hand.md is a session that works: its blocks, run one after the other against a real process, do what the page says.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { arch } from '../../src/arch/arch.ts';
import { temporaryDirectory } from '../support/kernel/files.ts';
import { needs } from '../support/needs.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/by-hand.md'), 'utf8');
const blocks = Array.from(page.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block);

describe('docs/by-hand.md', () => {
  needs('root', { command: 'gdb' }, { command: 'bash' });

  test.each(Array.from({ length: 10 }, (_, time) => time + 1))('is a session that works, time %i', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'session'), ['trap "kill %1 2>&- || :" EXIT', ...blocks].join('\n'));
    const { stdout } = await promisify(execFile)('bash', ['-eu', 'session'], {
      cwd,
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    const lines = stdout.split('\n').filter((line) => line !== '');
    expect(lines).toEqual([
      'sleep',
      '1000',
      'COLOUR=blue',
      expect.stringMatching(/^PATH=/),
      expect.stringMatching(/^\/.*sleep$/),
      expect.stringMatching(/^a syscall instruction at 0x[0-9a-f]+ \+ \d+$/),
      expect.stringMatching(/^getpid = \d+$/),
      expect.stringMatching(/^Catchpoint 2 \(exec'd \/.*\)/),
      'COLOUR=green',
      expect.stringMatching(/^PATH=/),
      expect.stringMatching(/^started at (\d+), and still: \1; arguments were at (\d+) and are at (?!\2)\d+$/),
      expect.stringMatching(/^SigIgn:\t0+6$/),
    ]);
  });
});

describe('its table of system calls', () => {
  const rows = Array.from(page.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \|$/gm), ([, name = '', x64, arm64]) => ({
    name,
    x64: Number(x64),
    arm64: Number(arm64),
  }));

  test('is there', () => expect(rows.length).toBeGreaterThan(10));

  test.each(rows)('has the numbers of $name', ({ name, x64, arm64 }) => {
    expect(Object.entries(arch.syscalls)).toContainEqual([name, x64]);
    // arm64 has the generic table.
    const header = '/usr/include/asm-generic/unistd.h';
    if (!existsSync(header)) return;
    expect(readFileSync(header, 'latin1')).toMatch(
      new RegExp(`^#define (?:__NR_${name}|__NR3264_${name}) ${arm64}$`, 'm'),
    );
  });
});
