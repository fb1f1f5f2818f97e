// The engine's own system calls, by the function that it maps and by the one of libc that it falls back to.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { arch } from '../../src/arch/arch.ts';
import { EBADF } from '../../src/native/errno.ts';
import { libcFunctions, mappedFunctions, rowBytes, viewMemory } from '../../src/native/syscall.ts';

const { getpid, mmap, pread64, read } = arch.syscalls;

describe.each([
  ['mapped', mappedFunctions()],
  ['of libc', libcFunctions()],
])('the function %s', (_, functions) => {
  if (functions === null) throw new Error('no memory may become code here');
  const { one: call, all } = functions;

  test('gives what the kernel gives: a result, or -errno', () => {
    expect(Number(call(getpid, 0, 0, 0, 0, 0, 0))).toBe(process.pid);
    expect(Number(call(read, -1, 0, 0, 0, 0, 0))).toBe(-EBADF);
  });

  test('hands over all six arguments', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotexec-test-'));
    writeFileSync(join(directory, 'pages'), Buffer.concat([Buffer.alloc(4096, 'a'), Buffer.alloc(4096, 'b')]));
    const file = openSync(join(directory, 'pages'), 'r');
    const [PROT_READ, MAP_PRIVATE] = [1, 2];
    const address = BigInt(call(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, file, 4096));
    expect(viewMemory(address, 4096).bytes.toString()).toBe('b'.repeat(4096));
    closeSync(file);
    rmSync(directory, { recursive: true });
  });

  test('makes many calls at once, each with its own arguments and its own result', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotexec-test-'));
    writeFileSync(join(directory, 'letters'), 'abcdefgh');
    const file = openSync(join(directory, 'letters'), 'r');
    const [PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS] = [3, 0x22];
    const address = BigInt(call(mmap, 0, 4096, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
    const { view, bytes } = viewMemory(address, 4096);
    const into = 2048;
    const rows = [
      [pread64, file, address + BigInt(into), 2, 6],
      [read, -1, 0, 0, 0],
      [pread64, file, address + BigInt(into + 2), 3, 1],
      [getpid, 0, 0, 0, 0],
    ];
    for (const [row, words] of rows.entries())
      for (const [word, value] of words.entries()) view.setBigInt64(row * rowBytes + word * 8, BigInt(value), true);
    all(address, rows.length);
    const results = rows.map((_row, index) => Number(view.getBigInt64((index + 1) * rowBytes - 8, true)));
    expect(results).toEqual([2, -EBADF, 3, process.pid]);
    expect(bytes.toString('latin1', into, into + 5)).toBe('ghbcd');
    all(address, 0);
    closeSync(file);
    rmSync(directory, { recursive: true });
  });
});
