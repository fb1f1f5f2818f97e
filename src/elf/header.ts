// The header of an ELF file (elf(5)) and the kinds of program headers that execve and the loader look at:
// PT_LOAD, PT_INTERP and PT_DYNAMIC.
// Works on the beginning of a file; nothing in it is trusted.
import { machineName, type Machine } from './machine.ts';

export interface ElfHeader {
  readonly kind: 'elf';
  readonly class: 32 | 64;
  readonly endianness: 'little' | 'big';
  readonly type: ElfType;
  readonly machine: Machine;
  readonly machineNumber: number;
  readonly entry: bigint;
  /** The PT_LOAD segments, in the file's order. */
  readonly loads: readonly Segment[];
  /** undefined: statically linked, or a shared library. */
  readonly interpreter: Interpreter | undefined;
  /** PT_DYNAMIC, what the loader works by; undefined: statically linked. */
  readonly dynamic: Segment | undefined;
}

/** `dyn` is a position-independent program or a library. */
export type ElfType = 'rel' | 'exec' | 'dyn' | 'core' | 'other';

export interface Segment {
  /** Where the segment lies in the file. */
  readonly offset: bigint;
  readonly fileSizeBytes: bigint;
  /** Where it is loaded, relative to the load address for `dyn`. */
  readonly address: bigint;
  readonly memorySizeBytes: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface Interpreter {
  readonly offset: bigint;
  readonly fileSizeBytes: bigint;
  /** undefined: it lies behind the bytes that were read, or is not a NUL-terminated string (execve gives ENOEXEC). */
  readonly path: string | undefined;
}

export type ElfReading =
  | ElfHeader
  | { readonly kind: 'not-elf' }
  /** It begins like ELF, but the kernel will not take it, or the bytes end too early. */
  | { readonly kind: 'malformed'; readonly why: string };

const MAGIC = Buffer.from('\u007FELF', 'latin1');
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
/** load_elf_phdrs (fs/binfmt_elf.c) takes no larger table; PATH_MAX no longer interpreter. */
const MAX_TABLE_BYTES = 65_536;
const PATH_MAX = 4096n;

/** Parses the beginning of a file; the first 64 KiB hold the program headers of any usual program. Never throws. */
export function parseElfHeader(buffer: Buffer): ElfReading {
  if (!buffer.subarray(0, 4).equals(MAGIC)) return { kind: 'not-elf' };
  if (buffer[4] !== 1 && buffer[4] !== 2) return malformed(`the ELF class is ${buffer[4] ?? 'missing'}`);
  if (buffer[5] !== 1 && buffer[5] !== 2) return malformed(`the byte order is ${buffer[5] ?? 'missing'}`);
  const is64 = buffer[4] === 2;
  const layout = is64 ? LAYOUT_64 : LAYOUT_32;
  if (buffer.length < layout.headerBytes) return malformed(`the header ends after ${buffer.length} bytes`);
  const view = viewOf(buffer, { is64, isLittle: buffer[5] === 1 });
  const table = locateTable(view, layout, buffer.length);
  if (typeof table === 'string') return malformed(table);
  const headers = Array.from({ length: table.count }, (_, index) =>
    readProgramHeader(view, layout, table.offset + index * layout.entryBytes),
  );
  const machineNumber = view.u16(18);
  return {
    kind: 'elf',
    class: is64 ? 64 : 32,
    endianness: buffer[5] === 1 ? 'little' : 'big',
    type: typeName(view.u16(16)),
    machine: machineName(machineNumber),
    machineNumber,
    entry: view.word(24),
    loads: headers.filter((header) => header.type === PT_LOAD).map((header) => header.segment),
    interpreter: readInterpreter(buffer, headers),
    dynamic: headers.find((header) => header.type === PT_DYNAMIC)?.segment,
  };
}

/** The offsets of the fields whose place depends on the class. */
interface Layout {
  readonly headerBytes: number;
  readonly tableOffset: number;
  readonly entrySize: number;
  readonly entryCount: number;
  readonly entryBytes: number;
  readonly segment: Readonly<Record<'flags' | 'offset' | 'address' | 'fileSize' | 'memorySize', number>>;
}

const LAYOUT_32: Layout = {
  headerBytes: 52,
  tableOffset: 28,
  entrySize: 42,
  entryCount: 44,
  entryBytes: 32,
  segment: { flags: 24, offset: 4, address: 8, fileSize: 16, memorySize: 20 },
};

const LAYOUT_64: Layout = {
  headerBytes: 64,
  tableOffset: 32,
  entrySize: 54,
  entryCount: 56,
  entryBytes: 56,
  segment: { flags: 4, offset: 8, address: 16, fileSize: 32, memorySize: 40 },
};

/** Reads fields in the file's byte order; `word` is as wide as an address. */
interface View {
  readonly u16: (offset: number) => number;
  readonly u32: (offset: number) => number;
  readonly word: (offset: number) => bigint;
}

interface ProgramHeader {
  readonly type: number;
  readonly segment: Segment;
}

function viewOf(buffer: Buffer, { is64, isLittle }: { readonly is64: boolean; readonly isLittle: boolean }): View {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return {
    u16: (offset) => view.getUint16(offset, isLittle),
    u32: (offset) => view.getUint32(offset, isLittle),
    word: (offset) => (is64 ? view.getBigUint64(offset, isLittle) : BigInt(view.getUint32(offset, isLittle))),
  };
}

function locateTable(
  view: View,
  layout: Layout,
  sizeBytes: number,
): { readonly offset: number; readonly count: number } | string {
  const count = view.u16(layout.entryCount);
  const entrySize = view.u16(layout.entrySize);
  if (count === 0) return { offset: 0, count };
  if (entrySize !== layout.entryBytes) return `a program header has ${entrySize} bytes, not ${layout.entryBytes}`;
  const tableBytes = count * layout.entryBytes;
  if (tableBytes > MAX_TABLE_BYTES) return `${count} program headers are more than the kernel takes`;
  const offset = view.word(layout.tableOffset);
  const end = offset + BigInt(tableBytes);
  if (end > sizeBytes) return `the program headers end at byte ${end}, behind the ${sizeBytes} bytes there are`;
  return { offset: Number(offset), count };
}

function readProgramHeader(view: View, layout: Layout, at: number): ProgramHeader {
  const flags = view.u32(at + layout.segment.flags);
  return {
    type: view.u32(at),
    segment: {
      offset: view.word(at + layout.segment.offset),
      fileSizeBytes: view.word(at + layout.segment.fileSize),
      address: view.word(at + layout.segment.address),
      memorySizeBytes: view.word(at + layout.segment.memorySize),
      readable: (flags & 4) !== 0,
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    },
  };
}

/** The kernel takes the first PT_INTERP. */
function readInterpreter(buffer: Buffer, headers: readonly ProgramHeader[]): Interpreter | undefined {
  const segment = headers.find((header) => header.type === PT_INTERP)?.segment;
  if (segment === undefined) return undefined;
  const { offset, fileSizeBytes } = segment;
  return { offset, fileSizeBytes, path: readPath(buffer, offset, fileSizeBytes) };
}

function readPath(buffer: Buffer, offset: bigint, sizeBytes: bigint): string | undefined {
  if (sizeBytes < 2n || sizeBytes > PATH_MAX || offset + sizeBytes > buffer.length) return undefined;
  const bytes = buffer.subarray(Number(offset), Number(offset + sizeBytes));
  // The kernel wants the last byte to be NUL and stops at the first.
  return bytes.at(-1) === 0 ? bytes.toString('utf8', 0, bytes.indexOf(0)) : undefined;
}

function typeName(type: number): ElfType {
  return (['other', 'rel', 'exec', 'dyn', 'core'] as const)[type] ?? 'other';
}

function malformed(why: string): ElfReading {
  return { kind: 'malformed', why };
}
