// Builds small ELF files of either class and byte order.

export interface ElfImageOptions {
  readonly class?: 32 | 64;
  readonly isLittle?: boolean;
  readonly type?: number;
  readonly machine?: number;
  readonly entry?: bigint;
  readonly segments?: readonly ElfImageSegment[];
  readonly sizeBytes?: number;
}

export interface ElfImageSegment {
  readonly type: number;
  readonly flags?: number;
  readonly offset: number;
  readonly fileSizeBytes: number;
}

export function elfImage(options: ElfImageOptions = {}): Buffer {
  const { isLittle = true, type = 3, machine = 62, entry = 0x1000n, segments = [], sizeBytes = 4096 } = options;
  const is64 = (options.class ?? 64) === 64;
  const image = Buffer.alloc(sizeBytes);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const word = (at: number, value: bigint): void =>
    is64 ? view.setBigUint64(at, value, isLittle) : view.setUint32(at, Number(value), isLittle);
  image.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isLittle ? 1 : 2, 1]);
  view.setUint16(16, type, isLittle);
  view.setUint16(18, machine, isLittle);
  word(24, entry);
  const [headerBytes, entryBytes] = is64 ? [64, 56] : [52, 32];
  word(is64 ? 32 : 28, BigInt(headerBytes));
  view.setUint16(is64 ? 54 : 42, entryBytes, isLittle);
  view.setUint16(is64 ? 56 : 44, segments.length, isLittle);
  const at = is64 ? { flags: 4, offset: 8, fileSize: 32 } : { flags: 24, offset: 4, fileSize: 16 };
  for (const [index, segment] of segments.entries()) {
    const start = headerBytes + index * entryBytes;
    view.setUint32(start, segment.type, isLittle);
    view.setUint32(start + at.flags, segment.flags ?? 4, isLittle);
    word(start + at.offset, BigInt(segment.offset));
    word(start + at.fileSize, BigInt(segment.fileSizeBytes));
  }
  return image;
}
