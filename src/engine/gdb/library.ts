// What --gdb-call libc needs of the C library that the target has loaded.
import { readFileSync } from 'node:fs';
import { parseMaps } from '../../procfs/maps.ts';
import { libraryFunction } from '../c-library.ts';

/** Addresses of functions in the target. */
export interface Library {
  readonly syscall: bigint;
  readonly execve: bigint;
  /** Answers where errno lies. */
  readonly errno: bigint;
}

/** Null: it has no C library, or none that gdb could call (a static program). `tid`: a living thread of the target. */
export function findLibrary(tid: number): Library | null {
  const mappings = parseMaps(readFileSync(`/proc/${tid}/maps`, 'latin1'));
  const [syscall, execve, errno] = ['syscall', 'execve', '__errno_location'].map((name) =>
    libraryFunction(tid, mappings, [name]),
  );
  return syscall === undefined || execve === undefined || errno === undefined ? null : { syscall, execve, errno };
}
