// Kept files that no version needs any more are deleted in the container.
import { basename, dirname } from 'node:path';
import { Directories } from '../../rootfs/directory.ts';
import { ProcessRoot } from '../../rootfs/open.ts';
import { undoFile } from './undo.ts';

/** Paths inside the container; what is no kept file of hotexec's by its name is left alone, and so is what cannot be reached any more. */
export function removeKept(pid: number, paths: readonly string[]): void {
  try {
    using root = new ProcessRoot(pid);
    using directories = new Directories(root);
    for (const path of paths) {
      if (!/^\.hotexec-[\w-]+\.old$/.test(basename(path))) continue;
      undoFile(directories, { kind: 'temporary', directory: dirname(path), name: basename(path) });
    }
  } catch {
    // The process has ended, or its file system takes no change: what stays are some files that nobody asks for.
  }
}
