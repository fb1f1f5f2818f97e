// A tar archive (ustar) of a root file system: everything owned by root, no times, so equal content gives equal bytes.

const blockSize = 512;

export interface TarEntry {
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  /** Null: a directory. */
  readonly read: (() => Promise<Buffer>) | null;
  /** A symbolic link to there, and nothing to read. */
  readonly linkTo?: string;
}

export async function* tarStream(entries: readonly TarEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    const content = entry.linkTo === undefined ? await entry.read?.() : undefined;
    yield header(entry, content?.length ?? 0);
    if (content === undefined) continue;
    yield content;
    yield Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize);
  }
  yield Buffer.alloc(2 * blockSize);
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockSize);
  const { name, prefix } = split(entry.path.slice(1));
  block.write(name, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(0, 8), 108); // uid
  block.write(octal(0, 8), 116); // gid
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136); // mtime
  block.write(' '.repeat(8), 148); // the checksum counts as blanks while it is computed
  block.write(typeOf(entry), 156);
  block.write(linkIn(entry), 157);
  block.write('ustar\u000000', 257);
  block.write(prefix, 345);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${octal(checksum, 7)}\0`, 148);
  return block;
}

function typeOf({ linkTo, read }: TarEntry): string {
  if (linkTo !== undefined) return '2';
  return read === null ? '5' : '0';
}

function linkIn({ path, linkTo = '' }: TarEntry): string {
  if (Buffer.byteLength(linkTo) > 100) throw new Error(`the link ${path} leads too far for a ustar header`);
  return linkTo;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, '0');
}

// 100 bytes of name, 155 of directory before it.
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const cut = path.indexOf('/', path.length - 101);
  if (cut < 0 || cut > 155) throw new Error(`too long for a ustar header: ${path}`);
  return { name: path.slice(cut + 1), prefix: path.slice(0, cut) };
}
