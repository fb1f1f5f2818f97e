import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, seccompData } from '../../../src/engine/bpf.ts';
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
  getppid,
  gettid,
  getuid,
  high,
  installable,
  type Instruction,
  KILL_PROCESS,
  KILL_THREAD,
  link,
  LOG,
  low,
  NR,
  prctl,
  predict,
  TRACE,
  TRAP,
  USER_NOTIF,
  type Verdict,
} from './bpf-program.ts';

// What libseccomp makes of docker's default profile: the CPU, then x32 calls, a tree over the numbers, and arguments of 64 bits.
const dockerLike = assemble(
  link([
    [BPF.LD_ABS, ARCH],
    [BPF.JEQ, AUDIT_ARCH_X86_64, undefined, 'errno'],
    [BPF.LD_ABS, NR],
    [BPF.JGE, 0x4000_0000, 'errno'],
    [BPF.JGT, getppid, 'upper half'],
    [BPF.JEQ, getpid, 'namespaces'],
    [BPF.JEQ, getuid, 'personality'],
    [BPF.JEQ, getppid, 'long range'],
    [BPF.JA, 0, 'errno'],
    'upper half',
    [BPF.JEQ, gettid, 'socket'],
    [BPF.JEQ, prctl, 'allow', 'kill'],
    // clone: arg0 & CLONE_NEW… must be 0, in both halves.
    'namespaces',
    [BPF.LD_ABS, high(0)],
    [BPF.AND, 0],
    [BPF.JEQ, 0, undefined, 'errno'],
    [BPF.LD_ABS, low(0)],
    [BPF.AND, 0x7e02_0000],
    [BPF.JEQ, 0, 'allow', 'errno'],
    // personality: arg0 is 0, 8 or 0xffffffff, as a number of 64 bits.
    'personality',
    [BPF.LD_ABS, high(0)],
    [BPF.JEQ, 0, undefined, 'errno'],
    [BPF.LD_ABS, low(0)],
    [BPF.JEQ, 0, 'allow'],
    [BPF.JEQ, 8, 'allow'],
    [BPF.JEQ, 0xffff_ffff, 'allow', 'errno'],
    // arg1 > 0x1_8000_0000, without a sign.
    'long range',
    [BPF.LD_ABS, high(1)],
    [BPF.JGT, 1, 'log'],
    [BPF.JEQ, 1, undefined, 'trap'],
    [BPF.LD_ABS, low(1)],
    [BPF.JGT, 0x8000_0000, 'log', 'trap'],
    // socket: not AF_ALG, not AF_VSOCK.
    'socket',
    [BPF.LD_ABS, low(5)],
    [BPF.JEQ, 38, 'errno'],
    [BPF.JEQ, 40, 'errno', 'allow'],
    'allow',
    [BPF.RET, ALLOW],
    'errno',
    [BPF.RET, EACCES],
    'kill',
    [BPF.RET, KILL_PROCESS],
    'trap',
    [BPF.RET, TRAP],
    'log',
    [BPF.RET, LOG],
  ]),
);

const dockerLikeCalls: readonly (readonly [number, readonly bigint[], Verdict])[] = [
  [getpid, [0n], 'allow'],
  [getpid, [0x11n], 'allow'],
  [getpid, [0x1000_0000n], 'errno'],
  [getpid, [0x0002_0000n], 'errno'],
  [getpid, [0xffff_ffff_0000_0011n], 'allow'],
  [getuid, [0n], 'allow'],
  [getuid, [8n], 'allow'],
  [getuid, [0xffff_ffffn], 'allow'],
  [getuid, [-1n], 'errno'],
  [getuid, [0x1_0000_0008n], 'errno'],
  [getuid, [9n], 'errno'],
  [getppid, [0n, 0x1_8000_0001n], 'allow'],
  [getppid, [0n, 0x1_8000_0000n], 'trap'],
  [getppid, [0n, 0x2_0000_0000n], 'allow'],
  [getppid, [0n, 0xffff_ffffn], 'trap'],
  [getppid, [0n, -1n], 'allow'],
  [gettid, [0n, 0n, 0n, 0n, 0n, 38n], 'errno'],
  [gettid, [0n, 0n, 0n, 0n, 0n, 40n], 'errno'],
  [gettid, [0n, 0n, 0n, 0n, 0n, 2n], 'allow'],
  [111, [], 'kill-process'],
  [1, [], 'errno'],
  [0x4000_0000 + getpid, [], 'errno'],
];

describe("a profile like docker's default", () => {
  it.each(dockerLikeCalls)('answers to call %d %s', (number, args, expected) => {
    expect(predict({ filters: [dockerLike], call: { number, args } })).toBe(expected);
  });

  it('refuses a call made as another CPU would', () => {
    expect(judge([dockerLike], seccompData(getpid, 0x4000_0003, []))).toBe('errno');
  });

  describe('in the kernel', () => {
    needs({ command: 'gcc' });

    it('answers the same', () => {
      const questions = dockerLikeCalls.map(([number, args]) => ({ filters: [dockerLike], call: { number, args } }));
      expect(askKernel(questions)).toStrictEqual(dockerLikeCalls.map(([, , expected]) => expected));
    });
  });
});

// Any program that the kernel's checks let through (seccomp_check_filter, bpf_check_classic): jumps forward and inside, words of memory
// written before they are read, a return at the end.
const constant = fc.oneof(
  fc.constantFrom(0, 1, 2, 31, getpid, getuid, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, AUDIT_ARCH_X86_64),
  fc.nat(0xffff_ffff),
);
const word = fc.nat(3);
const offset = fc.constantFrom(NR, ARCH, ...[0, 1, 2, 3, 4, 5].flatMap((index) => [low(index), high(index)]));
const action = fc.constantFrom(KILL_PROCESS, KILL_THREAD, TRAP, EACCES, USER_NOTIF, TRACE, LOG, ALLOW, 0x0001_0000);
const operation = fc.constantFrom(BPF.ADD, BPF.SUB, BPF.MUL, BPF.OR, BPF.AND, BPF.XOR);
const condition = fc.constantFrom(BPF.JEQ, BPF.JGT, BPF.JGE, BPF.JSET);
const withX = fc.constantFrom(0, BPF.X);

interface Loose {
  readonly code: number;
  readonly k: number;
  /** Where a jump goes, as parts of the way to the end. */
  readonly ways?: readonly [number, number];
}

function loose(code: fc.Arbitrary<number>, k: fc.Arbitrary<number> = fc.constant(0)): fc.Arbitrary<Loose> {
  return fc.record({ code, k });
}

const way = fc.double({ min: 0, max: 0.6, noNaN: true });
const instruction: fc.Arbitrary<Loose> = fc.oneof(
  loose(fc.constant(BPF.LD_ABS), offset),
  loose(fc.constantFrom(BPF.LD_IMM, BPF.LDX_IMM), constant),
  loose(fc.constantFrom(BPF.LD_MEM, BPF.LDX_MEM, BPF.ST, BPF.STX), word),
  loose(fc.constantFrom(BPF.LD_LEN, BPF.LDX_LEN, BPF.NEG, BPF.TAX, BPF.TXA)),
  loose(
    fc.tuple(operation, withX).map(([code, x]) => code | x),
    constant,
  ),
  loose(fc.constant(BPF.DIV), fc.integer({ min: 1, max: 0xffff_ffff })),
  loose(fc.constantFrom(BPF.LSH, BPF.RSH), fc.integer({ min: 1, max: 31 })),
  loose(fc.constant(BPF.RET), action),
  fc.record({
    code: fc.tuple(condition, withX).map(([code, x]) => code | x),
    k: constant,
    ways: fc.tuple(way, way),
  }),
  fc.record({ code: fc.constant(BPF.JA), k: fc.constant(0), ways: fc.tuple(way, way) }),
);

const stores: readonly Instruction[] = [0, 1, 2, 3].map((at) => [BPF.ST, at]);

const filter = fc
  .tuple(fc.array(instruction, { maxLength: 40, minLength: 1 }), action)
  .map(([body, last]) => assemble(installable([...stores, ...body.map(settle), [BPF.RET, last]])));

function settle({ code, k, ways = [0, 0] }: Loose, at: number, body: readonly Loose[]): Instruction {
  const [jt, jf] = ways.map((part) => Math.floor(part * (body.length - at))) as [number, number];
  return code === BPF.JA ? [code, jt] : [code, k, jt, jf];
}

const call = fc.record({
  number: fc.constantFrom(getpid, getuid, getppid, gettid),
  args: fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 2n ** 32n, 2n ** 63n)), {
    minLength: 6,
    maxLength: 6,
  }),
});

describe('any filter that the kernel takes', () => {
  needs({ command: 'gcc' });

  it('gives what the kernel gives, alone or with another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ filters: fc.array(filter, { minLength: 1, maxLength: 2 }), call }), {
          minLength: 20,
          maxLength: 20,
        }),
        (questions) => {
          expect(questions.map(predict)).toStrictEqual(askKernel(questions));
        },
      ),
      { numRuns: 20 },
    );
  }, 30_000);

  const rare: readonly (readonly [string, readonly Instruction[]])[] = [
    [
      'division by an X of 0, which ends the program with 0',
      [
        [BPF.LDX_IMM, 0],
        [BPF.DIV | BPF.X, 0],
        [BPF.RET, ALLOW],
      ],
    ],
    [
      'a shift to the right by nothing, which leaves no sign behind',
      [
        [BPF.LD_IMM, 0xffff_ffff],
        [BPF.RSH, 0],
        [BPF.JEQ, 0xffff_ffff, 0, 1],
        [BPF.RET, EACCES],
        [BPF.RET, ALLOW],
      ],
    ],
    [
      'a shift by an X of 32',
      [
        [BPF.LDX_IMM, 32],
        [BPF.LD_IMM, 0xffff_ffff],
        [BPF.RSH | BPF.X, 0],
        [BPF.JEQ, 0xffff_ffff, 0, 1],
        [BPF.RET, EACCES],
        [BPF.RET, ALLOW],
      ],
    ],
  ];
  it.each(rare)('agrees about %s', (_, program) => {
    const questions = [{ filters: [assemble(installable(program))], call: { number: getpid, args: [] } }];
    expect(questions.map(predict)).toStrictEqual(askKernel(questions));
  });
});
