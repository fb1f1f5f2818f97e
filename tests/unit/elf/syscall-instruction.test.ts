import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSyscallInstruction, SYSCALL_AARCH64, SYSCALL_X86_64 } from '../../../src/elf/syscall-instruction.ts';
import { findMapping, parseMaps } from '../../../src/procfs/maps.ts';
import { elfImage } from './elf-image.ts';

const EXECUTABLE = 5;

function vdso(options: { flags?: number; fileSizeBytes?: number } = {}): Buffer {
  const { flags = EXECUTABLE, fileSizeBytes = 4096 } = options;
  return elfImage({ segments: [{ type: 1, offset: 0, fileSizeBytes, flags }] });
}

describe('findSyscallInstruction', () => {
  it('finds the bytes in an executable segment', () => {
    const image = vdso();
    SYSCALL_X86_64.bytes.copy(image, 2343);
    expect(findSyscallInstruction(image)).toBe(2343);
  });

  it('takes none that is outside of the segment, or half outside', () => {
    const image = vdso({ fileSizeBytes: 2344 });
    SYSCALL_X86_64.bytes.copy(image, 2343);
    expect(findSyscallInstruction(image)).toBeUndefined();
  });

  it('takes none in a segment that cannot be executed', () => {
    const image = vdso({ flags: 6 });
    SYSCALL_X86_64.bytes.copy(image, 2343);
    expect(findSyscallInstruction(image)).toBeUndefined();
  });

  it('takes only aligned instructions on arm64', () => {
    const image = vdso();
    SYSCALL_AARCH64.bytes.copy(image, 1002);
    expect(findSyscallInstruction(image, SYSCALL_AARCH64)).toBeUndefined();
    SYSCALL_AARCH64.bytes.copy(image, 2004);
    expect(findSyscallInstruction(image, SYSCALL_AARCH64)).toBe(2004);
  });

  it('finds none in what is no ELF, or has none', () => {
    expect(findSyscallInstruction(Buffer.from('0f050f05', 'hex'))).toBeUndefined();
    expect(findSyscallInstruction(vdso())).toBeUndefined();
  });

  it.runIf(process.arch === 'x64')('finds one in the vDSO of this kernel', () => {
    const mapping = findMapping(parseMaps(readFileSync('/proc/self/maps', 'utf8')), '[vdso]');
    const image = Buffer.alloc(Number((mapping?.end ?? 0n) - (mapping?.start ?? 0n)));
    const memory = openSync('/proc/self/mem', 'r');
    readSync(memory, image, { position: mapping?.start ?? 0n });
    closeSync(memory);
    const offset = findSyscallInstruction(image) ?? 0;
    expect(image.subarray(offset, offset + 2)).toStrictEqual(SYSCALL_X86_64.bytes);
  });

  it('never throws, and never leads outside of the image', () => {
    fc.assert(
      fc.property(fc.nat(8192), fc.nat(8192), fc.nat(4096), (offset, fileSizeBytes, cut) => {
        const image = elfImage({ segments: [{ type: 1, offset, fileSizeBytes, flags: EXECUTABLE }] }).fill(
          '0f05',
          200,
          'hex',
        );
        const found = findSyscallInstruction(image.subarray(0, cut));
        expect(found === undefined || found + 2 <= cut).toBe(true);
      }),
    );
  });
});
