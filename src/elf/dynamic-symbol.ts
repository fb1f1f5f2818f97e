// Finds a dynamic symbol as ld.so does: by the hash tables that lie in a loaded library's memory (64-bit, little-endian). The memory is
// the target's: nothing in it is trusted, every loop is bounded.

/** Reads memory of the library; undefined when any of it cannot be read. */
export type ReadMemory = (address: bigint, sizeBytes: number) => Buffer | undefined;

interface Tables {
  readonly symbols: bigint;
  readonly strings: bigint;
  readonly gnuHash: bigint | undefined;
  readonly hash: bigint | undefined;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0n;
const DT_HASH = 4n;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_GNU_HASH = 0x6fff_fef5n;
const symbolSizeBytes = 24;
const longestChain = 10_000;

/** Its address; undefined when the library does not define it, or is no library. `start`: where the ELF header lies. */
export function findDynamicSymbol(read: ReadMemory, start: bigint, name: string): bigint | undefined {
  const found = locateDynamic(read, start);
  const tables = found === undefined ? undefined : readTables(read, found);
  if (found === undefined || tables === undefined) return undefined;
  for (const index of candidates(read, tables, name)) {
    const symbol = read(tables.symbols + BigInt(index * symbolSizeBytes), symbolSizeBytes);
    if (symbol === undefined) return undefined;
    const value = symbol.readBigUInt64LE(8);
    const isDefined = symbol.readUInt16LE(6) !== 0 && value !== 0n;
    const text = read(tables.strings + BigInt(symbol.readUInt32LE(0)), name.length + 1);
    if (isDefined && text?.toString('latin1') === `${name}\0`) return found.bias + value;
  }
  return undefined;
}

interface Located {
  /** What is added to the addresses of the file. */
  readonly bias: bigint;
  readonly dynamic: bigint;
}

function locateDynamic(read: ReadMemory, start: bigint): Located | undefined {
  const header = read(start, 64);
  if (header === undefined || header.toString('latin1', 0, 6) !== '\u007FELF\u0002\u0001') return undefined;
  const table = read(start + header.readBigUInt64LE(32), header.readUInt16LE(56) * 56);
  if (table === undefined) return undefined;
  let bias: bigint | undefined;
  let dynamic: bigint | undefined;
  for (let at = 0; at < table.length; at += 56) {
    const type = table.readUInt32LE(at);
    const address = table.readBigUInt64LE(at + 16);
    if (type === PT_LOAD) bias ??= start - address + table.readBigUInt64LE(at + 8);
    if (type === PT_DYNAMIC) dynamic = address;
  }
  return bias === undefined || dynamic === undefined ? undefined : { bias, dynamic: bias + dynamic };
}

function readTables(read: ReadMemory, { bias, dynamic }: Located): Tables | undefined {
  const values = new Map<bigint, bigint>();
  for (let index = 0; index < 100; index++) {
    const entry = read(dynamic + BigInt(index * 16), 16);
    if (entry === undefined) return undefined;
    const tag = entry.readBigUInt64LE(0);
    if (tag === DT_NULL) break;
    values.set(tag, entry.readBigUInt64LE(8));
  }
  // glibc's ld.so has added the bias to these in memory, musl's has not.
  const address = (tag: bigint): bigint | undefined => {
    const value = values.get(tag);
    return value === undefined || value >= bias ? value : bias + value;
  };
  const symbols = address(DT_SYMTAB);
  const strings = address(DT_STRTAB);
  if (symbols === undefined || strings === undefined) return undefined;
  return { symbols, strings, gnuHash: address(DT_GNU_HASH), hash: address(DT_HASH) };
}

/** Indices into the symbol table of all that may have this name. */
function candidates(read: ReadMemory, { gnuHash, hash }: Tables, name: string): Iterable<number> {
  if (gnuHash !== undefined) return byGnuHash(read, gnuHash, name);
  return hash === undefined ? [] : byHash(read, hash, name);
}

/** header: buckets, first hashed symbol, words of the Bloom filter, shift; then the filter, the buckets, the chains. */
function* byGnuHash(read: ReadMemory, table: bigint, name: string): Iterable<number> {
  const word = wordReader(read);
  const bucketCount = word(table);
  const firstSymbol = word(table + 4n);
  const filterWords = word(table + 8n);
  if (bucketCount === undefined || bucketCount === 0 || firstSymbol === undefined || filterWords === undefined) return;
  const buckets = table + 16n + BigInt(filterWords) * 8n;
  const chains = buckets + BigInt(bucketCount) * 4n;
  const wanted = gnuHashOf(name);
  const first = word(buckets + BigInt(wanted % bucketCount) * 4n) ?? 0;
  if (first < firstSymbol) return;
  for (let index = first; index < first + longestChain; index++) {
    const hashed = word(chains + BigInt(index - firstSymbol) * 4n);
    if (hashed === undefined) return;
    if ((hashed | 1) >>> 0 === (wanted | 1) >>> 0) yield index;
    if ((hashed & 1) === 1) return;
  }
}

/** nbucket, nchain, the buckets, the chains (System V ABI, "Hash Table"). */
function* byHash(read: ReadMemory, table: bigint, name: string): Iterable<number> {
  const word = wordReader(read);
  const bucketCount = word(table);
  if (bucketCount === undefined || bucketCount === 0) return;
  const chains = table + 8n + BigInt(bucketCount) * 4n;
  let index = word(table + 8n + BigInt(hashOf(name) % bucketCount) * 4n) ?? 0;
  for (let left = longestChain; left > 0 && index !== 0; left--) {
    yield index;
    index = word(chains + BigInt(index) * 4n) ?? 0;
  }
}

function wordReader(read: ReadMemory): (address: bigint) => number | undefined {
  return (address) => read(address, 4)?.readUInt32LE(0);
}

function gnuHashOf(name: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function hashOf(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) {
    hash = ((hash << 4) + byte) >>> 0;
    hash = (hash ^ ((hash & 0xf000_0000) >>> 24)) & 0x0fff_ffff;
  }
  return hash >>> 0;
}
