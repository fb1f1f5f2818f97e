// What a seccomp filter would answer to a system call, without making it: classic BPF over struct seccomp_data, as seccomp(2) and
// kernel/seccomp.c define it. Pure.

/** What the kernel would do; ordered as in seccomp(2), the strictest first. */
export type SeccompAction =
  | 'kill-process'
  | 'kill-thread'
  | 'trap'
  | 'errno'
  | 'user-notification'
  | 'trace'
  | 'log'
  | 'allow';

const actions: ReadonlyMap<number, SeccompAction> = new Map([
  [0x8000_0000, 'kill-process'],
  [0x0000_0000, 'kill-thread'],
  [0x0003_0000, 'trap'],
  [0x0005_0000, 'errno'],
  [0x7fc0_0000, 'user-notification'],
  [0x7ff0_0000, 'trace'],
  [0x7ffc_0000, 'log'],
  [0x7fff_0000, 'allow'],
]);

/** struct seccomp_data: nr, arch, instruction_pointer, args[6]. */
export function seccompData(number: number, auditArch: number, args: readonly bigint[]): Buffer {
  const data = Buffer.alloc(64);
  data.writeInt32LE(number, 0);
  data.writeUInt32LE(auditArch, 4);
  for (let index = 0; index < 6; index++) data.writeBigUInt64LE(BigInt.asUintN(64, args[index] ?? 0n), 16 + index * 8);
  return data;
}

/** The verdict of all filters together: the strictest wins (signed comparison of the actions, kernel/seccomp.c seccomp_run_filters). */
export function judge(filters: readonly Buffer[], data: Buffer): SeccompAction {
  let strictest = 0x7fff_0000;
  for (const filter of filters) {
    const answer = runFilter(filter, data) & 0xffff_0000;
    if (answer < (strictest | 0)) strictest = answer;
  }
  return actions.get(strictest >>> 0) ?? 'kill-process';
}

/** Runs one filter: 8 bytes an instruction (code, jt, jf, k). Returns its 32-bit answer, signed. */
export function runFilter(filter: Buffer, data: Buffer): number {
  const memory = new Int32Array(16);
  let accumulator = 0;
  let index = 0;
  // Jumps lead forwards only, so a filter that the kernel has taken ends within its length.
  for (let at = 0; at >= 0 && at * 8 + 8 <= filter.length; at++) {
    const code = filter.readUInt16LE(at * 8);
    const k = filter.readInt32LE(at * 8 + 4);
    const operand = (code & 0x08) === 0 ? k : index;
    switch (code & 0x07) {
      case 0x00: // BPF_LD: absolute offsets into the data only, or a memory word, a constant, the length
        accumulator = load(code, k, { data, memory });
        break;
      case 0x01: // BPF_LDX
        index = (code & 0xe0) === 0x60 ? (memory[k] ?? 0) : (code & 0xe0) === 0x80 ? data.length : k;
        break;
      case 0x02: // BPF_ST
        memory[k] = accumulator;
        break;
      case 0x03: // BPF_STX
        memory[k] = index;
        break;
      case 0x04: // BPF_ALU
        // The kernel ends a filter that divides by zero with the answer 0 (net/core/filter.c).
        if ((code & 0xf0) === 0x30 && operand === 0) return 0;
        accumulator = compute(code & 0xf0, accumulator, operand);
        break;
      case 0x05: // BPF_JMP
        at += (code & 0xf0) === 0 ? k : (filter[at * 8 + (jump(code & 0xf0, accumulator, operand) ? 2 : 3)] ?? 0);
        break;
      case 0x06: // BPF_RET
        return (code & 0x18) === 0x10 ? accumulator : k;
      default: // BPF_MISC: TAX, TXA
        if ((code & 0xf8) === 0x80) accumulator = index;
        else index = accumulator;
    }
  }
  return 0;
}

function load(code: number, k: number, from: { readonly data: Buffer; readonly memory: Int32Array }): number {
  switch (code & 0xe0) {
    case 0x20:
      return from.data.readInt32LE(k);
    case 0x60:
      return from.memory[k] ?? 0;
    case 0x80:
      return from.data.length;
    default:
      return k;
  }
}

function compute(operation: number, left: number, right: number): number {
  switch (operation) {
    case 0x00:
      return (left + right) | 0;
    case 0x10:
      return (left - right) | 0;
    case 0x20:
      return Math.imul(left, right);
    case 0x30:
      return ((left >>> 0) / (right >>> 0)) | 0;
    case 0x40:
      return left | right;
    case 0x50:
      return left & right;
    case 0x60:
      return left << right;
    case 0x70:
      // Both count modulo 32; JavaScript's answer is unsigned.
      return (left >>> right) | 0;
    case 0x80:
      return -left | 0;
    default:
      return left ^ right;
  }
}

function jump(condition: number, left: number, right: number): boolean {
  switch (condition) {
    case 0x10:
      return left === right;
    case 0x20:
      return left >>> 0 > right >>> 0;
    case 0x30:
      return left >>> 0 >= right >>> 0;
    default:
      return (left & right) !== 0;
  }
}
