// The engine's own system calls, by the function that it maps and by the one of libc that it falls back to.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { arch } from '../../src/arch/arch.ts';
import { EBADF } from '../../src/native/errno.ts';
import { errnoSyscall, kernelSyscall, viewMemory } from '../../src/native/syscall.ts';

const { getpid, mmap, read } = arch.syscalls;

describe.each([
  ['mapped', kernelSyscall()],
  ['of libc', errnoSyscall],
])('the function %s', (_, call) => {
  if (call === null) throw new Error('no memory may become code here');

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
});
