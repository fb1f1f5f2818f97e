// Where the loader is told to look for libraries: DT_RPATH and DT_RUNPATH of a 64-bit little-endian program (elf(5), ld.so(8)).
import type { ElfHeader } from './header.ts';

const DT_STRTAB = 5n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;
const entryBytes = 16;
/** More than any real program has. */
const dynamicAtMostBytes = 1024n * 1024n;
const pathAtMostBytes = 4096;

/** Bytes of the file from an offset on; fewer where it ends. */
export type ReadAt = (offset: number, sizeBytes: number) => Buffer;

/** Both, as they stand there (`$ORIGIN/../lib`); empty when it has none, or when they cannot be read. Never throws by itself. */
export function runPaths({ dynamic, loads }: ElfHeader, readAt: ReadAt): readonly string[] {
  if (dynamic === undefined || dynamic.fileSizeBytes > dynamicAtMostBytes) return [];
  const table = readAt(Number(dynamic.offset), Number(dynamic.fileSizeBytes));
  const entries = Array.from({ length: Math.floor(table.length / entryBytes) }, (_, index) => ({
    tag: table.readBigInt64LE(index * entryBytes),
    value: table.readBigUInt64LE(index * entryBytes + 8),
  }));
  const strings = entries.find((entry) => entry.tag === DT_STRTAB)?.value;
  const segment = loads.find(
    ({ address, fileSizeBytes }) => strings !== undefined && strings >= address && strings < address + fileSizeBytes,
  );
  if (strings === undefined || segment === undefined) return [];
  const start = segment.offset + (strings - segment.address);
  return entries
    .filter((entry) => entry.tag === DT_RPATH || entry.tag === DT_RUNPATH)
    .map(({ value }) => cString(readAt(Number(start + value), pathAtMostBytes)));
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
