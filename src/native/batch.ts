// Many system calls for the price of one from JavaScript: the way from there into the kernel takes 2-3 us in a fresh engine, as long as most
// calls themselves, and a process may have a thousand threads.
import { mapMemory } from './memory.ts';
import { rowBytes, rowWords, syscalls, type Argument, type NativeMemory } from './syscall.ts';

export class Batch {
  /** How many calls it makes; at most `capacity`. */
  count = 0;
  readonly capacity: number;
  readonly #rows: NativeMemory;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#rows = mapMemory(capacity * rowBytes);
  }

  /** One call more, of at most six arguments. */
  add(number: number, ...args: readonly Argument[]): void {
    let at = this.count++ * rowBytes;
    for (const word of [number, ...args]) {
      this.#rows.view.setBigInt64(at, BigInt(word), true);
      at += 8;
    }
  }

  /** Makes all of them, or those from one row up to another, in their order, whatever those before have answered. */
  run(from = 0, to: number = this.count): void {
    if (to > from) syscalls(this.#rows.address + BigInt(from * rowBytes), to - from);
  }

  /** What the call has answered last: its result, below 2^31, or -errno. */
  result(row: number): number {
    return this.#rows.view.getInt32((row + 1) * rowBytes - rowBytes / rowWords, true);
  }
}
