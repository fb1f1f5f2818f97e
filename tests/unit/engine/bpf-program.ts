// Seccomp filters put together from words, and the kernel's own verdict on them.
import { execFileSync } from 'node:child_process';
import { judge, seccompData, type SeccompAction } from '../../../src/engine/bpf.ts';
import { compile } from '../../support/kernel/compile.ts';

export type Instruction = readonly [code: number, k: number, jt?: number, jf?: number];

// include/uapi/linux/bpf_common.h
export const BPF = {
  LD_ABS: 0x20,
  LD_IMM: 0x00,
  LD_MEM: 0x60,
  LD_LEN: 0x80,
  LDX_IMM: 0x01,
  LDX_MEM: 0x61,
  LDX_LEN: 0x81,
  ST: 0x02,
  STX: 0x03,
  ADD: 0x04,
  SUB: 0x14,
  MUL: 0x24,
  DIV: 0x34,
  OR: 0x44,
  AND: 0x54,
  LSH: 0x64,
  RSH: 0x74,
  NEG: 0x84,
  XOR: 0xa4,
  JA: 0x05,
  JEQ: 0x15,
  JGT: 0x25,
  JGE: 0x35,
  JSET: 0x45,
  RET: 0x06,
  RET_A: 0x16,
  TAX: 0x07,
  TXA: 0x87,
  /** Added to an operation: with X in place of k. */
  X: 0x08,
} as const;

// struct seccomp_data
export const NR = 0;
export const ARCH = 4;
export const low = (argument: number): number => 16 + 8 * argument;
export const high = (argument: number): number => 20 + 8 * argument;

export const KILL_PROCESS = 0x8000_0000;
export const KILL_THREAD = 0x0000_0000;
export const TRAP = 0x0003_0000;
export const EACCES = 0x0005_000d;
export const USER_NOTIF = 0x7fc0_0000;
export const TRACE = 0x7ff0_0000;
export const LOG = 0x7ffc_0000;
export const ALLOW = 0x7fff_0000;

export const AUDIT_ARCH_X86_64 = 0xc000_003e;

// Calls that do no harm, and the one that installs a filter.
export const getpid = 39;
export const getuid = 102;
export const getppid = 110;
export const gettid = 186;
export const prctl = 157;

export function assemble(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, k, jt = 0, jf = 0]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.set([jt, jf], index * 8 + 2);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}

/** An instruction that jumps to names, or a name for the instruction that follows. */
export type Labelled = string | readonly [code: number, k: number, whenTrue?: string | undefined, whenFalse?: string];

/** A jump without a name for one of its ways goes on with the next instruction. */
export function link(program: readonly Labelled[]): readonly Instruction[] {
  const positions = new Map<string, number>();
  const instructions: Exclude<Labelled, string>[] = [];
  for (const entry of program) {
    if (typeof entry === 'string') positions.set(entry, instructions.length);
    else instructions.push(entry);
  }
  const distance = (from: number, label: string | undefined): number =>
    label === undefined ? 0 : (positions.get(label) ?? Number.NaN) - from - 1;
  return instructions.map(([code, k, whenTrue, whenFalse], at) =>
    code === BPF.JA ? [code, distance(at, whenTrue)] : [code, k, distance(at, whenTrue), distance(at, whenFalse)],
  );
}

/** Lets a filter be followed by another: prctl, which installs it, is allowed before anything else is asked. */
export function installable(instructions: readonly Instruction[]): readonly Instruction[] {
  return [[BPF.LD_ABS, NR], [BPF.JEQ, prctl, 0, 1], [BPF.RET, ALLOW], ...instructions];
}

export interface Call {
  readonly number: number;
  readonly args: readonly bigint[];
}

export interface Question {
  readonly filters: readonly Buffer[];
  readonly call: Call;
}

/** `log` and `allow` cannot be told apart from outside, nor can what a tracer or a supervisor, who is not there, would decide. */
export type Verdict = 'kill-process' | 'kill-thread' | 'trap' | 'errno' | 'nobody-decides' | 'allow';

const ENOSYS = 38;

/** The call must be a harmless one that answers 0 or more. */
export function askKernel(questions: readonly Question[]): readonly Verdict[] {
  const input = Buffer.concat(
    questions.flatMap(({ filters, call }) => [word(filters.length), ...filters.flatMap(counted), registers(call)]),
  );
  const lines = execFileSync(compile('filters'), { input }).toString().trimEnd().split('\n');
  return lines.map(verdict);
}

function verdict(line: string): Verdict {
  if (line === 'killed-process') return 'kill-process';
  if (line === 'killed-thread') return 'kill-thread';
  if (line === 'trap') return 'trap';
  const answer = Number(line);
  if (Number.isNaN(answer)) throw new Error(line);
  if (answer >= 0) return 'allow';
  return answer === -ENOSYS ? 'nobody-decides' : 'errno';
}

function counted(filter: Buffer): readonly Buffer[] {
  return [word(filter.length / 8), filter];
}

function registers({ number, args }: Call): Buffer {
  const bytes = Buffer.alloc(7 * 8);
  for (const [index, value] of [BigInt(number), ...args].entries())
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What hotexec expects of the kernel. */
export function predict({ filters, call: { number, args } }: Question): Verdict {
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
