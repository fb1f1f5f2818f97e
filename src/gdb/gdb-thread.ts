// The thread that gdb has selected, with nothing but registers, steps and memory: gdb stands in for ptrace here.
import { arch } from '../arch/arch.ts';
import { Registers } from '../arch/registers.ts';
import { EFAULT } from '../native/errno.ts';
import { TraceeGone } from '../tracer/errors.ts';
import type { HeldThread } from '../tracer/held-thread.ts';
import type { LiveStop } from '../tracer/tracee.ts';
import { signalNumber } from '../protocol/stop-signal.ts';
import { GdbRefused } from './errors.ts';
import type { Gdb } from './gdb.ts';
import { asTuple, listIn, textIn, tupleIn, type MiTuple, type MiValue } from './mi.ts';

/** gdb takes a command of any length, but the pipe to it is to hold it whole. */
const chunkSizeBytes = 16 * 1024;

export class GdbThread implements HeldThread {
  readonly tid: number;
  readonly #gdb: Gdb;
  /** gdb's numbers of the registers, in the order of the kernel's set. */
  #numbers: readonly string[] = [];
  /** Where our calls come to their stops; null: anywhere. */
  #behind: bigint | null = null;
  /** As they are until it goes on. */
  #known: Registers | null = null;

  constructor(gdb: Gdb, tid: number) {
    this.#gdb = gdb;
    this.tid = tid;
  }

  /** The thread is the leader, so its id is the process's and stays. */
  expectExec(): void {}

  registers(): Registers {
    this.#known ??= this.#readRegisters();
    return this.#known.copy();
  }

  #readRegisters(): Registers {
    if (this.#numbers.length === 0) this.#numbers = this.#namedNumbers();
    const found = this.#gdb.ask(`-data-list-register-values x ${this.#numbers.join(' ')}`);
    const values = new Map(listIn(found, 'register-values').map(numberAndValue));
    const registers = new Registers();
    for (const [index, number] of this.#numbers.entries())
      registers.bytes.writeBigUInt64LE(values.get(number) ?? 0n, index * 8);
    return registers;
  }

  #namedNumbers(): readonly string[] {
    const names = listIn(this.#gdb.ask('-data-list-register-names'), 'register-names');
    return arch.registers.names.map((name) => {
      const number = names.indexOf(name);
      if (number < 0) throw new GdbRefused(`gdb knows no register ${name} of the target`);
      return String(number);
    });
  }

  /** One expression. orig_rax comes last: gdb makes it -1 when the instruction pointer is set. */
  setRegisters(registers: Registers): void {
    const before = this.registers();
    const changed = arch.registers.names
      .map((name, index) => ({ name, offset: index * 8 }))
      .filter(({ offset }) => wordAt(registers, offset) !== wordAt(before, offset) || isTouchy(offset))
      .toSorted((a, b) => Number(a.offset === originalNumber) - Number(b.offset === originalNumber));
    const assignments = changed.map(({ name, offset }) => `$${name}=0x${wordAt(registers, offset).toString(16)}`);
    this.#gdb.ask(`-data-evaluate-expression ${assignments.join(',')}`);
    this.#behind = registers.instructionPointer + BigInt(arch.syscallInstruction.length);
    this.#known = registers.copy();
  }

  resumeToSyscall(): void {
    this.#known = null;
    this.#gdb.resume();
  }

  next(deadlineMs: number): LiveStop {
    for (;;) {
      const stopped = this.#gdb.stopped(deadlineMs);
      const stop = this.#meaning(stopped);
      // A signal that came before all were blocked: its handler makes calls of its own.
      if (stop.kind !== 'syscall' || this.#behind === null || pcOf(stopped) === this.#behind) return stop;
      this.#gdb.resume();
    }
  }

  #meaning(stopped: MiTuple): LiveStop {
    const { tid } = this;
    const reason = textIn(stopped, 'reason') ?? '';
    switch (reason) {
      case 'syscall-entry':
      case 'syscall-return':
        return { kind: 'syscall', tid };
      case 'exec':
        this.#behind = null;
        return { kind: 'exec', tid };
      case 'signal-received':
        return { kind: 'signal', tid, signal: signalNumber(textIn(stopped, 'signal-name') ?? '') ?? 0 };
      case 'exited-signalled':
        throw new TraceeGone(tid, `was killed by ${textIn(stopped, 'signal-name') ?? 'a signal'}`);
      case 'exited':
      case 'exited-normally':
        throw new TraceeGone(tid, `exited with code ${Number.parseInt(textIn(stopped, 'exit-code') ?? '0', 8)}`);
      default:
        return { kind: 'stop', tid, signal: 0 };
    }
  }

  read(address: bigint, sizeBytes: number): Buffer | number {
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < sizeBytes; offset += chunkSizeBytes) {
      const length = Math.min(chunkSizeBytes, sizeBytes - offset);
      const piece = this.#readPiece(address + BigInt(offset), length);
      if (piece?.length !== length) return -EFAULT;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  #readPiece(address: bigint, length: number): Buffer | undefined {
    const found = this.#unlessRefused(`-data-read-memory-bytes 0x${address.toString(16)} ${length}`);
    if (found === undefined) return undefined;
    return Buffer.from(textIn(asTuple(listIn(found, 'memory')[0]), 'contents') ?? '', 'hex');
  }

  write(address: bigint, bytes: Buffer): number {
    for (let offset = 0; offset < bytes.length; offset += chunkSizeBytes) {
      const piece = bytes.subarray(offset, offset + chunkSizeBytes).toString('hex');
      const at = (address + BigInt(offset)).toString(16);
      if (this.#unlessRefused(`-data-write-memory-bytes 0x${at} ${piece}`) === undefined) return -EFAULT;
    }
    return 0;
  }

  #unlessRefused(command: string): MiTuple | undefined {
    try {
      return this.#gdb.ask(command);
    } catch (error) {
      if (error instanceof GdbRefused) return undefined;
      throw error;
    }
  }
}

const { instructionPointer, originalNumber } = arch.registers;

/** Set in any case: gdb may have changed the second because of the first. */
function isTouchy(offset: number): boolean {
  return offset === instructionPointer || offset === originalNumber;
}

function wordAt({ bytes }: Registers, offset: number): bigint {
  return bytes.readBigUInt64LE(offset);
}

function numberAndValue(value: MiValue): readonly [string, bigint] {
  const entry = asTuple(value);
  return [textIn(entry, 'number') ?? '', toBigInt(textIn(entry, 'value'))];
}

function pcOf(stopped: MiTuple): bigint {
  return toBigInt(textIn(tupleIn(stopped, 'frame'), 'addr'));
}

function toBigInt(text: string | undefined): bigint {
  return text !== undefined && /^0x[\da-f]{1,16}$/.test(text) ? BigInt(text) : 0n;
}
