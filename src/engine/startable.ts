// Reads the file that is to be started and says, before anything is touched, why the kernel would not take it. execve alone answers
// ENOENT for a missing file, a missing interpreter and a missing loader alike; here each has its own sentence.
import { closeSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { arch } from '../arch/arch.ts';
import { parseElfHeader, type ElfHeader } from '../elf/header.ts';
import { runPaths } from '../elf/run-path.ts';
import { parseShebang } from '../elf/script.ts';
import { describeTruncation } from '../elf/truncation.ts';
import { describeErrno } from '../native/errno.ts';
import type { ProcessRoot } from '../rootfs/open.ts';
import type { FileKind } from './program.ts';

export const headerSizeBytes: number = 64 * 1024;
/** fs/exec.c, exec_binprm: the kernel goes on for so many interpreters. */
const deepestScript = 5;

/** Why it cannot be started; undefined when nothing is seen that forbids it. `cwd`: a relative interpreter is looked for there. */
export function whyNotStartable(
  root: ProcessRoot,
  path: string,
  { depth = 0, cwd = '/' }: { readonly depth?: number; readonly cwd?: string } = {},
): string | undefined {
  const role = depth === 0 ? path : `its interpreter ${path}`;
  const file = root.readStart(path, headerSizeBytes);
  if (file === undefined) return `${role} is not a regular file`;
  if (typeof file === 'number') return `${role} cannot be opened: ${describeErrno(file)}`;
  if (!isExecutable(file.stat))
    return `${role} is not executable (mode ${(file.stat.mode & 0o7777).toString(8).padStart(4, '0')})`;
  return whyContentNotStartable(root, { role, start: file.start, sizeBytes: file.stat.size }, { depth, cwd });
}

/** The same for a file that is not in the container yet: its interpreter or loader must be. `start`: its first 64 KiB. */
export function whyContentNotStartable(
  root: ProcessRoot,
  file: { readonly role: string; readonly start: Buffer; readonly sizeBytes: number },
  { depth = 0, cwd = '/' }: { readonly depth?: number; readonly cwd?: string } = {},
): string | undefined {
  const { role } = file;
  if (file.start.length === 0) return `${role} is empty`;
  const script = parseShebang(file.start);
  if (script.kind === 'unusable') return `${role} begins with #! but ${script.why}`;
  if (script.kind === 'script') {
    return depth >= deepestScript
      ? `${role} is the ${depth + 1}th script in a row, and the kernel takes ${deepestScript}`
      : whyNotStartable(root, resolve(cwd, script.interpreter), { depth: depth + 1, cwd });
  }
  const elf = parseElfHeader(file.start);
  if (elf.kind === 'not-elf') return `${role} is neither an ELF program nor a script with a #! line`;
  // Its tables may lie behind what was read: then the dry run tells.
  if (elf.kind === 'malformed' && file.sizeBytes > headerSizeBytes) return undefined;
  if (elf.kind === 'malformed') return `${role} is not a usable ELF file: ${elf.why}`;
  return whyNotLoadable(root, { role, elf, sizeBytes: file.sizeBytes });
}

function whyNotLoadable(
  root: ProcessRoot,
  { role, elf, sizeBytes }: { readonly role: string; readonly elf: ElfHeader; readonly sizeBytes: number },
): string | undefined {
  if (elf.class !== 64) return `${role} is a 32-bit program; hotexec starts 64-bit programs only`;
  if (elf.machineNumber !== arch.elfMachine)
    return `${role} is a program for ${elf.machine}; this machine is ${arch.name}`;
  if (elf.type !== 'exec' && elf.type !== 'dyn') return `${role} is an ELF file, but not a program`;
  const truncated = describeTruncation(elf, sizeBytes);
  if (truncated !== undefined) return `${role} is incomplete: ${truncated}`;
  const loader = elf.interpreter?.path;
  if (loader === undefined) return undefined;
  const found = root.stat(loader);
  return typeof found === 'number'
    ? `the loader ${loader} that ${role} needs cannot be opened: ${describeErrno(found)}`
    : undefined;
}

/** What is to be started from memory: a file where hotexec runs. */
export interface MemoryVerdict {
  /** Why it cannot be started; undefined when nothing is seen that forbids it. */
  readonly why: string | undefined;
  /** What is different for a program without a path. */
  readonly warnings: readonly string[];
}

/** The loader must be inside the container, the file itself need not be executable. */
export function judgeForMemory(root: ProcessRoot, path: string): MemoryVerdict {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return refuse(`there is no file ${path} where hotexec runs`);
    // Before it is opened: opening a FIFO would wait.
    if (!stat.isFile()) return refuse(`${path} is not a regular file`);
    if (stat.size === 0) return refuse(`${path} is empty`);
    const fd = openSync(path, 'r');
    try {
      return judgeOpen(root, { fd, path, sizeBytes: stat.size });
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return refuse(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refuse(why: string): MemoryVerdict {
  return { why, warnings: [] };
}

function judgeOpen(
  root: ProcessRoot,
  { fd, path, sizeBytes }: { readonly fd: number; readonly path: string; readonly sizeBytes: number },
): MemoryVerdict {
  const readAt = (offset: number, length: number): Buffer => {
    if (offset > sizeBytes) return Buffer.alloc(0);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  };
  const start = readAt(0, headerSizeBytes);
  if (start.subarray(0, 2).toString('latin1') === '#!') {
    return refuse(
      `${path} is a script: its interpreter opens it by its path, and in memory it has none (execveat gives ENOENT)`,
    );
  }
  const elf = parseElfHeader(start);
  if (elf.kind === 'not-elf') return refuse(`${path} is not an ELF program`);
  if (elf.kind === 'malformed') {
    const why = sizeBytes > headerSizeBytes ? undefined : `${path} is not a usable ELF file: ${elf.why}`;
    return { why, warnings: [withoutPath] };
  }
  const origin = runPaths(elf, readAt).find((entry) => entry.includes('$ORIGIN') || entry.includes('${ORIGIN}'));
  return {
    why: whyNotLoadable(root, { role: path, elf, sizeBytes }),
    warnings:
      origin === undefined
        ? [withoutPath]
        : [
            withoutPath,
            `${path} looks for libraries beside itself (${origin}): from memory it will not find them there`,
          ],
  };
}

const withoutPath =
  'the program is in memory alone: its /proc/self/exe is `/memfd:... (deleted)`, files beside it are not found by it, and its memory counts for the cgroup that hotexec runs in';

/** What stands at a path, for choosing between paths. */
export function lookUpFile(root: ProcessRoot, path: string): FileKind {
  const file = root.readStart(path, 256);
  if (file === undefined) return 'other';
  if (typeof file === 'number') return 'missing';
  if (!isExecutable(file.stat)) return 'other';
  return parseShebang(file.start).kind === 'script' ? 'script' : 'program';
}

/** From /etc/passwd of the container: name, password, uid, gid, comment, home, shell. */
export function homeDirectory(root: ProcessRoot, uid: number): string | null {
  const file = root.readStart('/etc/passwd', headerSizeBytes);
  if (file === undefined || typeof file === 'number') return null;
  const line = file.start
    .toString()
    .split('\n')
    .find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[5] ?? null;
}

function isExecutable(stat: Stats): boolean {
  return (stat.mode & 0o111) !== 0;
}
