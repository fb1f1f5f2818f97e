// A register set as the kernel gives it: 8 bytes a register, read and changed by role, not by name. Pure.
// By a DataView: a fresh engine runs this once or twice, uncompiled, and Buffer's accessors are JavaScript where a DataView's are built in.
import { arch } from './arch.ts';

export class Registers {
  readonly bytes: Buffer;
  readonly #view: DataView;

  constructor(bytes: Buffer = Buffer.alloc(arch.registers.sizeBytes)) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  copy(): Registers {
    return new Registers(Buffer.from(this.bytes));
  }

  get instructionPointer(): bigint {
    return this.#view.getBigUint64(arch.registers.instructionPointer, true);
  }

  set instructionPointer(address: bigint) {
    this.#view.setBigUint64(arch.registers.instructionPointer, address, true);
  }

  get stackPointer(): bigint {
    return this.#view.getBigUint64(arch.registers.stackPointer, true);
  }

  get result(): bigint {
    return this.#view.getBigInt64(arch.registers.result, true);
  }

  set result(value: bigint) {
    this.#view.setBigInt64(arch.registers.result, value, true);
  }

  /** -1n: not in a system call; set at the entry of one, it is not made (kernel/entry/common.c, syscall_trace_enter). */
  get originalNumber(): bigint {
    return this.#view.getBigInt64(arch.registers.originalNumber, true);
  }

  set originalNumber(number: bigint) {
    this.#view.setBigInt64(arch.registers.originalNumber, number, true);
  }

  /**
   * Of a thread at the entry of a system call: the kernel skips it, and the thread comes back to the instruction in front of it, with the
   * number and the arguments it had. Let go with these registers, it makes the call as it would have.
   */
  rewindCall(number: number): void {
    this.instructionPointer -= BigInt(arch.syscallInstruction.length);
    this.result = BigInt(number);
    this.originalNumber = -1n;
  }

  /** What rewindCall has done, undone: the call is over, with this result. */
  completeCall(result: bigint): void {
    this.instructionPointer += BigInt(arch.syscallInstruction.length);
    this.result = result;
    this.originalNumber = -1n;
  }

  /**
   * Makes these the registers of a thread that is about to execute the syscall instruction at `instruction`.
   * The original number becomes -1: otherwise the kernel may take the call for an interrupted one and move the instruction pointer back
   * by 2 (arch/x86/kernel/signal.c arch_do_signal_or_restart).
   */
  prepareCall(instruction: bigint, number: number, args: readonly (number | bigint)[]): void {
    const layout = arch.registers;
    this.instructionPointer = instruction;
    this.#view.setBigInt64(layout.result, BigInt(number), true);
    this.#view.setBigInt64(layout.originalNumber, -1n, true);
    let index = 0;
    for (const offset of layout.arguments) this.#view.setBigInt64(offset, BigInt(args[index++] ?? 0), true);
  }

  /** Of a thread in a system call: the first argument that it has given. */
  get firstArgument(): bigint {
    return this.#view.getBigUint64(arch.registers.arguments[0], true);
  }

  /** From 0, as the kernel takes them at the entry of a call. */
  setArgument(index: 0 | 1 | 2 | 3 | 4 | 5, value: bigint): void {
    this.#view.setBigUint64(arch.registers.arguments[index], BigInt.asUintN(64, value), true);
  }
}
