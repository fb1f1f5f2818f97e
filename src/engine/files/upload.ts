// The content of one file, read where hotexec runs and written into the container; digested on the way.
import { fchmodSync, fchownSync, fsyncSync, readSync, writeSync } from 'node:fs';
import { arch } from '../../arch/arch.ts';
import { HotexecError } from '../../errors.ts';
import { describeErrno, ENOSPC } from '../../native/errno.ts';
import { sha256 } from '../../native/digest.ts';
import { syscall } from '../../native/syscall.ts';
import { accessListAttribute, removeAttribute, setAttribute } from '../../rootfs/attributes.ts';
import type { PlannedFile } from './planned.ts';
import { changed, type SourceFile } from './source.ts';

const chunkBytes = 1024 * 1024;
/** From here on room is taken at once: a full disk is found before the whole of a large file was copied. */
const reserveFromBytes = 8 * chunkBytes;
const FALLOC_FL_KEEP_SIZE = 1;
const chunk = { bytes: Buffer.alloc(0) };

/** `step` is called after each piece, and may throw to end it. Returns the SHA-256, hexadecimal. */
export function copyContent(
  source: SourceFile,
  { from, to }: { readonly from: number; readonly to: number },
  step: (bytes: number) => void,
): string {
  if (chunk.bytes.length === 0) chunk.bytes = Buffer.allocUnsafeSlow(chunkBytes);
  if (source.sizeBytes >= reserveFromBytes) reserve(to, source.sizeBytes);
  const hash = sha256();
  let done = 0;
  for (;;) {
    const length = readSync(from, chunk.bytes, 0, chunkBytes, null);
    if (length === 0) break;
    const piece = chunk.bytes.subarray(0, length);
    hash.update(piece);
    for (let written = 0; written < length;) written += writeSync(to, piece, written, length - written, null);
    done += length;
    // One that grows as fast as it is read would never end.
    if (done > source.sizeBytes) throw changed(source);
    step(length);
  }
  if (done !== source.sizeBytes) throw changed(source);
  return hash.digest('hex');
}

function reserve(fd: number, sizeBytes: number): void {
  const result = syscall(arch.syscalls.fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, sizeBytes);
  // Whatever else it says: writing tells.
  if (result === -ENOSPC) throw new Error(describeErrno(result));
}

/** Owner first: it takes set-ids and capabilities away. `durable`: the content is on disk when this returns. */
export function finish(fd: number, file: PlannedFile, durable: boolean): void {
  fchownSync(fd, file.owner.uid, file.owner.gid);
  fchmodSync(fd, file.mode);
  // The directory's default list may have given it one that the old file had not.
  if (file.isExecutable) expectSet(removeAttribute(fd, accessListAttribute), accessListAttribute);
  for (const attribute of file.attributes) expectSet(setAttribute(fd, attribute), attribute.name);
  if (durable) fsyncSync(fd);
}

function expectSet(result: number, name: string): void {
  if (result < 0) throw new Error(`the extended attribute ${name} could not be set: ${describeErrno(result)}`);
}

/** A sentence of what the kernel answered, for whoever waits for the file. */
export function notWritten(path: string, error: unknown): HotexecError {
  if (error instanceof HotexecError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const isFull = /ENOSPC|EDQUOT/.test(why);
  return new HotexecError(
    {
      code: 'file-not-written',
      message: `${path} could not be written in the container: ${why}. Nothing of it stays there; the old program runs on unchanged.`,
      hint: isFull ? 'make room there, or keep a new executable in memory (--in-memory)' : null,
    },
    { cause: error },
  );
}
