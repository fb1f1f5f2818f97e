// The call that starts the program: execve of a path, or execveat of a file that the target has as a descriptor.
import { HotexecError } from '../errors.ts';
import type { Argument } from '../native/syscall.ts';
import type { ChangedFile } from '../protocol/result.ts';
import type { ExecArguments } from '../remote/scratch.ts';
import type { Hold } from './hold.ts';
import { openMemoryFile, openRunningFile, type MemoryFile, type Progress } from './memory-file.ts';
import type { Program } from './program.ts';
import { pushDescriptor } from './pushed-descriptor.ts';
import type { Scratch } from './stage.ts';

const AT_EMPTY_PATH = 0x1000;

export interface ExecCall extends Disposable {
  readonly name: 'execve' | 'execveat';
  readonly args: readonly Argument[];
  /** The descriptor of the program in the target: it must stay close-on-exec, whatever its number; null: a program with a path. */
  readonly fd: number | null;
}

/** What the scratch memory holds for it: the path of a program in memory is empty. */
export function execArguments(program: Program): ExecArguments {
  return program.memory === null ? program : { ...program, path: Buffer.alloc(0) };
}

/**
 * The file of a program in memory; null: it has a path. Before anything is held: copying takes its time. `tid`: a living thread of the
 * target. Throws as openMemoryFile does, and program-not-startable when the file was in the target's hands alone and that runs another one now.
 */
export function openProgramFile(program: Program, tid: number, progress?: Progress): MemoryFile | null {
  const { memory, path } = program;
  if (memory === null) return null;
  if (memory.kind === 'local') return openMemoryFile(memory.path, progress);
  const file = openRunningFile(tid, `/${path.toString()} (deleted)`);
  if (file !== null) return file;
  throw new HotexecError({
    code: 'program-not-startable',
    message: `process ${tid} no longer runs ${path.toString()}, which was in memory alone. It runs on unchanged.`,
    hint: null,
  });
}

/** What the result says of it. */
export function describeFile(program: Program, file: MemoryFile): ChangedFile {
  return {
    path: program.path.toString(),
    change: 'in-memory',
    digest: file.digest(),
    sizeBytes: file.sizeBytes,
    keptAs: null,
  };
}

/** Puts the file of a program in memory into the target. Throws seccomp-forbids or remote-call-failed, with the target as it was. */
export function prepareExec(held: Hold, { address, layout }: Scratch, file: MemoryFile | null): ExecCall {
  const at = (offset: number): bigint => address + BigInt(offset);
  const [path, argv, envp] = [at(layout.path), at(layout.argv), at(layout.envp)];
  if (file === null) return { name: 'execve', args: [path, argv, envp], fd: null, [Symbol.dispose]: () => {} };
  if (!held.thread.may('execveat', 3, path, argv, envp, AT_EMPTY_PATH)) {
    throw new HotexecError({
      code: 'seccomp-forbids',
      message:
        'the seccomp filter of the target forbids execveat, which starts a program from memory. It runs on unchanged.',
      hint: 'a program on disk needs execve alone',
    });
  }
  const pushed = pushDescriptor(held, at(layout.room), file.fd);
  return {
    name: 'execveat',
    args: [pushed.fd, path, argv, envp, AT_EMPTY_PATH],
    fd: pushed.fd,
    [Symbol.dispose]: () => pushed[Symbol.dispose](),
  };
}
