import { describe, expect, it } from 'vitest';
import { Registers } from '../../../src/arch/registers.ts';

// struct user_regs_struct of x86-64 (sys/user.h), in its order.
const names =
  'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs'.split(
    ' ',
  );

function registersWith(values: Readonly<Record<string, bigint>>): Registers {
  const bytes = Buffer.alloc(names.length * 8);
  for (const [name, value] of Object.entries(values)) bytes.writeBigUInt64LE(value, names.indexOf(name) * 8);
  return new Registers(bytes);
}

function valuesOf(registers: Registers): Readonly<Record<string, bigint>> {
  const all = names.map((name, index) => [name, registers.bytes.readBigUInt64LE(index * 8)] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== 0n));
}

describe('the registers of a thread', () => {
  it('are read by their role', () => {
    const registers = registersWith({
      rip: 1n,
      rsp: 2n,
      rax: 0xffff_ffff_ffff_fffen,
      orig_rax: 0xffff_ffff_ffff_ffffn,
    });
    expect(registers.instructionPointer).toBe(1n);
    expect(registers.stackPointer).toBe(2n);
    expect(registers.result).toBe(-2n);
    expect(registers.originalNumber).toBe(-1n);
  });

  it('become those of a call: the number, the arguments in their places, and no call that could be taken up again', () => {
    const registers = registersWith({ rip: 7n, rsp: 8n, rbx: 9n, orig_rax: 202n, rdi: 99n, eflags: 0x246n });
    registers.prepareCall(0x7fff_1000n, 59, [1n, 2n, 3n, 4n, -1n]);
    expect(valuesOf(registers)).toStrictEqual({
      rax: 59n,
      orig_rax: 0xffff_ffff_ffff_ffffn,
      rip: 0x7fff_1000n,
      rdi: 1n,
      rsi: 2n,
      rdx: 3n,
      r10: 4n,
      r8: 0xffff_ffff_ffff_ffffn,
      rsp: 8n,
      rbx: 9n,
      eflags: 0x246n,
    });
  });

  it('take addresses of all 64 bits', () => {
    const registers = registersWith({});
    registers.prepareCall(0n, 0, [0n, 0n, 0n, 0n, 0n, 0xffff_ffff_8000_0000n]);
    expect(valuesOf(registers)['r9']).toBe(0xffff_ffff_8000_0000n);
  });

  it('are copied, so that the borrowed ones come back as they were', () => {
    const own = registersWith({ rip: 7n, rax: 1n });
    const borrowed = own.copy();
    borrowed.prepareCall(1n, 2, []);
    borrowed.result = -38n;
    expect(valuesOf(own)).toStrictEqual({ rip: 7n, rax: 1n });
    expect(borrowed.result).toBe(-38n);
  });

  it('may lie anywhere in a larger buffer', () => {
    const larger = Buffer.alloc(1000);
    const registers = new Registers(larger.subarray(8, 8 + names.length * 8));
    registers.instructionPointer = 5n;
    expect(larger.readBigUInt64LE(8 + names.indexOf('rip') * 8)).toBe(5n);
  });
});
