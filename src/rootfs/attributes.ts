// Extended attributes of files: what a program has besides its owner and mode, file capabilities above all.
import { arch } from '../arch/arch.ts';
import { ENODATA, EOPNOTSUPP } from '../native/errno.ts';
import { allocate, mapMemory } from '../native/memory.ts';
import { syscall, type NativeMemory } from '../native/syscall.ts';

export const capabilityAttribute = 'security.capability';
export const accessListAttribute = 'system.posix_acl_access';

const pathMemory = allocate(4097);
const nameMemory = allocate(256);
/** XATTR_SIZE_MAX and XATTR_LIST_MAX. */
const mostBytes = 64 * 1024;
let valueMemory: NativeMemory | undefined;

export interface Attribute {
  readonly name: string;
  readonly value: Buffer;
}

/** Links in the path are followed: it is meant for /proc/self/fd/N. Empty where the file system has none; -errno. */
export function readAttributes(path: string): readonly Attribute[] | number {
  const values = room();
  const length = syscall(arch.syscalls.listxattr, writePath(path), values.address, mostBytes);
  if (length === -EOPNOTSUPP) return [];
  if (length < 0) return length;
  const attributes: Attribute[] = [];
  for (const name of values.bytes.subarray(0, length).toString().split('\0').filter(Boolean)) {
    const value = readAttribute(path, name);
    if (typeof value === 'number') return value;
    if (value !== null) attributes.push({ name, value });
  }
  return attributes;
}

/** Null: it has none of that name; -errno. */
export function readAttribute(path: string, name: string): Buffer | null | number {
  const values = room();
  const length = syscall(arch.syscalls.getxattr, writePath(path), writeName(name), values.address, mostBytes);
  if (length === -ENODATA || length === -EOPNOTSUPP) return null;
  return length < 0 ? length : Buffer.from(values.bytes.subarray(0, length));
}

/** 0 or -errno. */
export function setAttribute(fd: number, { name, value }: Attribute): number {
  const values = room();
  value.copy(values.bytes);
  return syscall(arch.syscalls.fsetxattr, fd, writeName(name), values.address, value.length, 0);
}

/** As setAttribute, by /proc/self/fd/N of a descriptor that is not open for reading. */
export function setAttributeAt(path: string, { name, value }: Attribute): number {
  const values = room();
  value.copy(values.bytes);
  return syscall(arch.syscalls.setxattr, writePath(path), writeName(name), values.address, value.length, 0);
}

/** 0 too when there was none; else -errno. */
export function removeAttribute(fd: number, name: string): number {
  return noneIsFine(syscall(arch.syscalls.fremovexattr, fd, writeName(name)));
}

export function removeAttributeAt(path: string, name: string): number {
  return noneIsFine(syscall(arch.syscalls.removexattr, writePath(path), writeName(name)));
}

function noneIsFine(result: number): number {
  return result === -ENODATA || result === -EOPNOTSUPP ? 0 : result;
}

function room(): NativeMemory {
  valueMemory ??= mapMemory(mostBytes);
  return valueMemory;
}

function writePath(path: string): bigint {
  return write(pathMemory, path);
}

function writeName(name: string): bigint {
  return write(nameMemory, name);
}

function write(memory: NativeMemory, text: string): bigint {
  const length = Buffer.byteLength(text);
  if (length >= memory.bytes.length) throw new RangeError(`${length} bytes are too many`);
  memory.bytes.write(text);
  memory.bytes[length] = 0;
  return memory.address;
}
