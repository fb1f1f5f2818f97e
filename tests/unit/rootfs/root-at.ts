// A directory as the root of a process, which is how the engine meets the files of a container.
import { ProcessRoot } from '../../../src/rootfs/open.ts';
import { compile } from '../../support/kernel/compile.ts';
import { start } from '../../support/kernel/target.ts';

/** Needs root and gcc. The process ends with the test. */
export async function rootAt(directory: string): Promise<ProcessRoot> {
  const { pid } = await start(compile('chrooted'), [directory]);
  return new ProcessRoot(pid);
}
