// SHA-256 of a file. node:crypto (all of OpenSSL) takes 10 ms to load (measured, Node 24), so it is loaded by the first who needs it.
import { readSync } from 'node:fs';

const chunkSizeBytes = 1024 * 1024;

/** In hexadecimal; of all that is in the file from its beginning, whatever the descriptor's own offset is. */
export function sha256(fd: number): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  const chunk = Buffer.alloc(chunkSizeBytes);
  for (let offset = 0; ;) {
    const length = readSync(fd, chunk, 0, chunk.length, offset);
    if (length === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, length));
    offset += length;
  }
}
