// Lines of a pipe, read with a deadline. They are bounded: of a longer one only the beginning is kept.
import { readSync } from 'node:fs';
import { awaitInput } from '../native/poll.ts';

const longestLineBytes = 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024);

export class Lines {
  readonly #fd: number;
  readonly #complete: string[] = [];
  #rest = '';

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A character stands for a byte. `timeout` after the deadline (performance.now() ms), `end` when nobody writes any more. */
  next(deadlineMs: number): { readonly line: string } | 'timeout' | 'end' {
    for (;;) {
      const line = this.#complete.shift();
      if (line !== undefined) return { line };
      const leftMs = Math.ceil(deadlineMs - performance.now());
      if (leftMs <= 0) return 'timeout';
      if (awaitInput(this.#fd, leftMs) && !this.#read()) return 'end';
    }
  }

  #read(): boolean {
    const length = readSync(this.#fd, chunk);
    const [first = '', ...others] = chunk.toString('latin1', 0, length).split('\n');
    this.#rest = cut(this.#rest + first);
    for (const text of others) {
      this.#complete.push(this.#rest.replace(/\r$/, ''));
      this.#rest = cut(text);
    }
    return length > 0;
  }
}

function cut(text: string): string {
  return text.length > longestLineBytes ? text.slice(0, longestLineBytes) : text;
}
