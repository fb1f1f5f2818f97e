// An io_uring of another process, by a copy of its descriptor: which operations stand in its submission queue, done or not.
import { arch } from '../arch/arch.ts';
import { syscall, viewMemory } from './syscall.ts';

const PROT_READ = 1;
const MAP_SHARED = 1;
/** Where the kernel keeps the entries, and how large one is (include/uapi/linux/io_uring.h). */
const IORING_OFF_SQES = 0x1000_0000;
const entryBytes = 64;

/** The opcode of every entry, also of those that were taken since: none is erased before its place is needed again. -errno: it can't be read. */
export function ringOperations(fd: number, entries: number): readonly number[] | number {
  const sizeBytes = entries * entryBytes;
  const address = syscall(arch.syscalls.mmap, 0, sizeBytes, PROT_READ, MAP_SHARED, fd, IORING_OFF_SQES);
  if (address < 0) return address;
  const { bytes } = viewMemory(BigInt(address), sizeBytes);
  const operations = Array.from({ length: entries }, (_, index) => bytes[index * entryBytes] ?? 0);
  syscall(arch.syscalls.munmap, address, sizeBytes);
  return operations;
}
