// Programs that are wrong in one way each.
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory that anybody may read; gone when the test is over. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'hotexec-kernel-'));
  chmodSync(path, 0o755);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function file(content: string | Buffer, mode = 0o755): string {
  const path = join(temporaryDirectory(), 'program');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A copy of a program with some bytes changed. */
export function patched(program: string, change: (bytes: Buffer) => Buffer | void): string {
  const bytes = readFileSync(program);
  return file(change(bytes) ?? bytes);
}

export function directory(): string {
  const path = join(temporaryDirectory(), 'directory');
  mkdirSync(path);
  return path;
}

/** Somebody writes to it just now. */
export function busy(program: string): string {
  const path = patched(program, () => {});
  const fd = openSync(path, 'r+');
  onTestFinished(() => closeSync(fd));
  return path;
}

const PT_LOAD = 1;
const PT_INTERP = 3;

/** Where the program headers of a type begin in a 64-bit ELF file. */
function headersOf(elf: Buffer, type: number): number[] {
  const start = Number(elf.readBigUInt64LE(32));
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => start + index * size).filter(
    (at) => elf.readUInt32LE(at) === type,
  );
}

/** The loader's path becomes another of the same length or less. */
export function withLoader(program: string, loader: string): string {
  return patched(program, (elf) => {
    const [header = 0] = headersOf(elf, PT_INTERP);
    const at = Number(elf.readBigUInt64LE(header + 8));
    const sizeBytes = Number(elf.readBigUInt64LE(header + 32));
    elf.fill(0, at, at + sizeBytes).write(loader, at);
    elf.writeBigUInt64LE(BigInt(loader.length + 1), header + 32);
  });
}

/** Its second segment wants an address that only the kernel has: seen by the kernel when the old memory is gone already. */
export function unmappable(program: string): string {
  return patched(program, (elf) => {
    const [, header = 0] = headersOf(elf, PT_LOAD);
    elf.writeBigUInt64LE(0xffff_8000_0000_0000n, header + 16);
  });
}
