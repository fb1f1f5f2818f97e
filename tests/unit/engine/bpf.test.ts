import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, runFilter, seccompData, type SeccompAction } from '../../../src/engine/bpf.ts';
import { needs } from '../../support/needs.ts';
import {
  ALLOW,
  ARCH,
  askKernel,
  assemble,
  AUDIT_ARCH_X86_64,
  BPF,
  EACCES,
  high,
  installable,
  KILL_PROCESS,
  KILL_THREAD,
  link,
  LOG,
  low,
  NR,
  TRACE,
  TRAP,
  USER_NOTIF,
  type Call,
  type Instruction,
  type Verdict,
} from './bpf-program.ts';

const getpid = 39;
const getuid = 102;
const getppid = 110;
const prctl = 157;
const gettid = 186;

function predict(filters: readonly Buffer[], { number, args }: Call): Verdict {
  return seenFromOutside[judge(filters, seccompData(number, AUDIT_ARCH_X86_64, args))];
}

const seenFromOutside: Readonly<Record<SeccompAction, Verdict>> = {
  'kill-process': 'kill-process',
  'kill-thread': 'kill-thread',
  trap: 'trap',
  errno: 'errno',
  'user-notification': 'nobody-decides',
  trace: 'nobody-decides',
  log: 'allow',
  allow: 'allow',
};

function expectKernelToAgree(questions: readonly { readonly filters: readonly Buffer[]; readonly call: Call }[]): void {
  const predicted = questions.map(({ filters, call }) => predict(filters, call));
  expect(predicted).toStrictEqual(askKernel(questions));
}

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

describe('two filters', () => {
  // The strictest first.
  const actions = [KILL_PROCESS, KILL_THREAD, TRAP, EACCES, USER_NOTIF, TRACE, LOG, ALLOW];
  const pairs = actions.flatMap((first) => actions.map((second) => [first, second] as const));
  const filterOf = (action: number): Buffer => assemble(installable([[BPF.RET, action]]));

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
      expectKernelToAgree(pairs.map((pair) => ({ filters: pair.map(filterOf), call })));
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
    expect(predict([dockerLike], { number, args })).toBe(expected);
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
          expectKernelToAgree(questions);
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
  // Faults of runFilter, each with the kernel's word against it.
  it.fails.each(rare)('agrees about %s', (_, program) => {
    expectKernelToAgree([{ filters: [assemble(installable(program))], call: { number: getpid, args: [] } }]);
  });
});

describe('bytes that are no filter', () => {
  it('give no verdict that would let a call through by mistake: a program without a return kills', () => {
    expect(judge([assemble([[BPF.LD_ABS, NR]])], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe('kill-thread');
    expect(judge([Buffer.alloc(0)], seccompData(getpid, AUDIT_ARCH_X86_64, []))).toBe('kill-thread');
  });
});
