// --gdb-call libc: the program's own C library makes the calls, as a person types them: `call (long)syscall(...)`, `call (int)execve(...)`.
// gdb pushes a frame on the thread's stack, and the return from the function is a trap that it waits for: killed at that very moment, it
// leaves the program to that trap (docs/limits.md).
import { arch } from '../../arch/arch.ts';
import type { Registers } from '../../arch/registers.ts';
import { GdbRefused } from '../../gdb/errors.ts';
import type { Gdb } from '../../gdb/gdb.ts';
import type { GdbThread } from '../../gdb/gdb-thread.ts';
import { EPERM } from '../../native/errno.ts';
import type { Argument } from '../../native/syscall.ts';
import { RemoteThread, type RemoteMeans, type RemoteName } from '../../remote/remote-thread.ts';
import { textIn } from '../../gdb/mi.ts';
import type { Library } from './library.ts';
import { catchEveryCall } from './settings.ts';

const execDeadlineMs = 5_000;

export class LibcThread extends RemoteThread {
  readonly #gdb: Gdb;
  readonly #library: Library;
  #entered: readonly [name: RemoteName, args: readonly Argument[]] = ['getpid', []];
  #result = 0;

  constructor({ thread, own, gdb, library }: LibcThreadOf, means: RemoteMeans) {
    super(thread, own, means);
    this.#gdb = gdb;
    this.#library = library;
  }

  override call(name: RemoteName, ...args: readonly Argument[]): number {
    if (!this.may(name, ...args)) return -EPERM;
    const startedMs = performance.now();
    const result = this.#invoke(this.#library.syscall, [arch.syscalls[name], ...args]);
    this.report(name, args, result, startedMs);
    return result;
  }

  override enter(name: RemoteName, ...args: readonly Argument[]): void {
    this.#entered = [name, args];
  }

  /** gdb gives the call up when it ends in another program. */
  override advance(): 'exit' | 'exec' {
    const [name, args] = this.#entered;
    this.#gdb.forgetStops();
    try {
      this.#result =
        name === 'execve'
          ? this.#invoke(this.#library.execve, args)
          : this.#invoke(this.#library.syscall, [arch.syscalls[name], ...args]);
      return 'exit';
    } catch (error) {
      if (!(error instanceof GdbRefused)) throw error;
      const stop = this.tracee.next(performance.now() + execDeadlineMs);
      if (stop.kind !== 'exec') throw error;
      catchEveryCall(this.#gdb);
      return 'exec';
    }
  }

  override result(): number {
    return this.#result;
  }

  #invoke(address: bigint, args: readonly Argument[]): number {
    const types = args.map(() => 'long').join(',');
    const answer = this.#evaluate(`((long(*)(${types}))${address})(${args.map(literal).join(',')})`);
    return answer === -1 ? -this.#evaluate(`*((int*(*)(void))${this.#library.errno})()`) : answer;
  }

  #evaluate(expression: string): number {
    return Number(textIn(this.#gdb.ask(`-data-evaluate-expression ${expression}`), 'value'));
  }
}

interface LibcThreadOf {
  readonly thread: GdbThread;
  readonly own: Registers;
  readonly gdb: Gdb;
  readonly library: Library;
}

/** The whole 64 bits: what is negative is not to be cut to an int. */
function literal(argument: Argument): string {
  return `(long)0x${BigInt.asUintN(64, BigInt(argument)).toString(16)}`;
}
