import { describe, expect, it } from 'vitest';
import { judge, runFilter, seccompData } from '../../../src/engine/bpf.ts';
import { needs } from '../../support/needs.ts';
import {
  ALLOW,
  ARCH,
  askKernel,
  assemble,
  AUDIT_ARCH_X86_64,
  BPF,
  EACCES,
  getpid,
  high,
  installable,
  type Instruction,
  KILL_PROCESS,
  KILL_THREAD,
  LOG,
  low,
  NR,
  predict,
  TRACE,
  TRAP,
  USER_NOTIF,
} from './bpf-program.ts';

/** Runs one straight program to its end and answers with A. */
function answer(...program: readonly Instruction[]): number {
  return runFilter(assemble([...program, [BPF.RET_A, 0]]), seccompData(getpid, AUDIT_ARCH_X86_64, [])) >>> 0;
}

describe('a filter of one action', () => {
  it.each([
    [KILL_PROCESS, 'kill-process'],
    [KILL_THREAD, 'kill-thread'],
    [TRAP, 'trap'],
    [EACCES, 'errno'],
    [USER_NOTIF, 'user-notification'],
    [TRACE, 'trace'],
    [LOG, 'log'],
    [ALLOW, 'allow'],
    // An action that is not known kills.
    [0x0001_0000, 'kill-process'],
    [0x7ffe_0000, 'kill-process'],
  ])('%i: %s', (action, expected) => {
    const filter = assemble([[BPF.RET, action]]);
    expect(judge([filter], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe(expected);
  });

  it('does not look at the lower 16 bits, which are data', () => {
    const [errno, killing] = [assemble([[BPF.RET, 0x0005_ffff]]), assemble([[BPF.RET, 0x8000_1234]])];
    const data = seccompData(getpid, AUDIT_ARCH_X86_64, []);
    expect([judge([errno], data), judge([killing], data)]).toStrictEqual(['errno', 'kill-process']);
  });
});

const filterOf = (action: number): Buffer => assemble(installable([[BPF.RET, action]]));

describe('two filters', () => {
  // The strictest first.
  const actions = [KILL_PROCESS, KILL_THREAD, TRAP, EACCES, USER_NOTIF, TRACE, LOG, ALLOW];
  const pairs = actions.flatMap((first) => actions.map((second) => [first, second] as const));

  it('give the stricter of their verdicts, whichever is older', () => {
    const data = seccompData(getpid, AUDIT_ARCH_X86_64, []);
    for (const [first, second] of pairs) {
      const stricter = actions.find((action) => action === first || action === second) ?? 0;
      expect(judge([filterOf(first), filterOf(second)], data)).toBe(judge([filterOf(stricter)], data));
    }
  });

  describe('in the kernel', () => {
    needs({ command: 'gcc' });

    it('give what is predicted', () => {
      const call = { number: getpid, args: [] };
      const questions = pairs.map((pair) => ({ filters: pair.map(filterOf), call }));
      expect(questions.map(predict)).toStrictEqual(askKernel(questions));
    });
  });

  it('none at all allows', () => {
    expect(judge([], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe('allow');
  });
});

describe('arithmetic on 32 bits', () => {
  const minusOne: Instruction = [BPF.LD_IMM, 0xffff_ffff];

  it.each<readonly [string, readonly Instruction[], number]>([
    ['adds and wraps', [minusOne, [BPF.ADD, 2]], 1],
    [
      'subtracts and wraps',
      [
        [BPF.LD_IMM, 1],
        [BPF.SUB, 2],
      ],
      0xffff_ffff,
    ],
    [
      'multiplies all 32 bits',
      [
        [BPF.LD_IMM, 0x1234_5678],
        [BPF.MUL, 0x9abc_def1],
      ],
      0x3661_76f8,
    ],
    ['divides without a sign', [minusOne, [BPF.DIV, 16]], 0x0fff_ffff],
    ['shifts right without a sign', [minusOne, [BPF.RSH, 4]], 0x0fff_ffff],
    ['shifts left', [minusOne, [BPF.LSH, 4]], 0xffff_fff0],
    [
      'negates',
      [
        [BPF.LD_IMM, 1],
        [BPF.NEG, 0],
      ],
      0xffff_ffff,
    ],
    [
      'negates nothing',
      [
        [BPF.LD_IMM, 0],
        [BPF.NEG, 0],
      ],
      0,
    ],
    ['masks', [minusOne, [BPF.AND, 0x7e02_0000]], 0x7e02_0000],
    [
      'ors',
      [
        [BPF.LD_IMM, 0x8000_0000],
        [BPF.OR, 1],
      ],
      0x8000_0001,
    ],
    ['xors', [minusOne, [BPF.XOR, 0xf]], 0xffff_fff0],
    [
      'uses X',
      [
        [BPF.LDX_IMM, 3],
        [BPF.LD_IMM, 5],
        [BPF.SUB | BPF.X, 0],
      ],
      2,
    ],
    [
      'moves to X and back',
      [
        [BPF.LD_IMM, 7],
        [BPF.TAX, 0],
        [BPF.LD_IMM, 0],
        [BPF.TXA, 0],
      ],
      7,
    ],
    [
      'stores and loads',
      [
        [BPF.LD_IMM, 7],
        [BPF.ST, 15],
        [BPF.LD_IMM, 0],
        [BPF.LD_MEM, 15],
      ],
      7,
    ],
    [
      'stores X and loads it',
      [
        [BPF.LDX_IMM, 7],
        [BPF.STX, 3],
        [BPF.LDX_IMM, 0],
        [BPF.LDX_MEM, 3],
        [BPF.TXA, 0],
      ],
      7,
    ],
    ['knows the size of the data', [[BPF.LD_LEN, 0]], 64],
    [
      'knows it in X',
      [
        [BPF.LDX_LEN, 0],
        [BPF.TXA, 0],
      ],
      64,
    ],
    ['reads the call', [[BPF.LD_ABS, NR]], getpid],
    ['reads the CPU', [[BPF.LD_ABS, ARCH]], AUDIT_ARCH_X86_64],
  ])('%s', (_, program, expected) => {
    expect(answer(...program)).toBe(expected);
  });

  it('reads both halves of all six arguments', () => {
    const args = [0, 1, 2, 3, 4, 5].map((index) => 0xaaaa_0000_bbbb_0000n + BigInt(index) * 0x1_0000_0001n);
    const data = seccompData(getpid, AUDIT_ARCH_X86_64, args);
    const read = (offset: number): number =>
      runFilter(
        assemble([
          [BPF.LD_ABS, offset],
          [BPF.RET_A, 0],
        ]),
        data,
      ) >>> 0;
    expect(args.map((_, index) => (BigInt(read(high(index))) << 32n) | BigInt(read(low(index))))).toStrictEqual(args);
  });

  it('sees a negative argument as the kernel does: 64 bits of ones', () => {
    const data = seccompData(getpid, AUDIT_ARCH_X86_64, [-1n]);
    expect(data.subarray(16, 24).toString('hex')).toBe('ffffffffffffffff');
  });
});

describe('bytes that are no filter', () => {
  it('give no verdict that would let a call through by mistake: a program without a return kills', () => {
    expect(judge([assemble([[BPF.LD_ABS, NR]])], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe('kill-thread');
    expect(judge([Buffer.alloc(0)], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe('kill-thread');
  });
});
