// What a tracer must never change: the code of a process.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { parseMaps } from '../../../src/procfs/maps.ts';

/** A digest of each executable mapping: position-independent code is the same bytes wherever it lies, so also in a second run of it. */
export function codeOf(pid: number): readonly string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1'))
      .filter(({ perms, path }) => perms.execute && path !== '[vsyscall]')
      .map(({ start, end, path }) => {
        const bytes = Buffer.alloc(Number(end - start));
        const length = readSync(memory, bytes, 0, bytes.length, start);
        if (length !== bytes.length) throw new Error(`only ${length} bytes of code could be read`);
        return `${path} ${createHash('sha256').update(bytes).digest('hex')}`;
      })
      .toSorted();
  } finally {
    closeSync(memory);
  }
}
