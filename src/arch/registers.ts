// A register set as the kernel gives it: 8 bytes a register, read and changed by role, not by name. Pure.
import { arch } from './arch.ts';

export class Registers {
  readonly bytes: Buffer;

  constructor(bytes: Buffer = Buffer.alloc(arch.registers.sizeBytes)) {
    this.bytes = bytes;
  }

  copy(): Registers {
    return new Registers(Buffer.from(this.bytes));
  }

  get instructionPointer(): bigint {
    return this.bytes.readBigUInt64LE(arch.registers.instructionPointer);
  }

  set instructionPointer(address: bigint) {
    this.bytes.writeBigUInt64LE(address, arch.registers.instructionPointer);
  }

  get stackPointer(): bigint {
    return this.bytes.readBigUInt64LE(arch.registers.stackPointer);
  }

  get result(): bigint {
    return this.bytes.readBigInt64LE(arch.registers.result);
  }

  set result(value: bigint) {
    this.bytes.writeBigInt64LE(value, arch.registers.result);
  }

  /** -1n: not in a system call. */
  get originalNumber(): bigint {
    return this.bytes.readBigInt64LE(arch.registers.originalNumber);
  }

  /**
   * Makes these the registers of a thread that is about to execute the syscall instruction at `instruction`.
   * The original number becomes -1: otherwise the kernel may take the call for an interrupted one and move the instruction pointer back
   * by 2 (arch/x86/kernel/signal.c arch_do_signal_or_restart).
   */
  prepareCall(instruction: bigint, number: number, args: readonly bigint[]): void {
    const layout = arch.registers;
    this.instructionPointer = instruction;
    this.bytes.writeBigInt64LE(BigInt(number), layout.result);
    this.bytes.writeBigInt64LE(-1n, layout.originalNumber);
    for (const [index, offset] of layout.arguments.entries()) {
      this.bytes.writeBigInt64LE(BigInt.asIntN(64, args[index] ?? 0n), offset);
    }
  }
}
