// A pipe of our own, pipe2(2): Node makes pipes only for children that it talks to by its event loop, which an engine does not run.
import { arch } from '../arch/arch.ts';
import { allocate } from './memory.ts';
import { syscall } from './syscall.ts';

const O_CLOEXEC = 0o200_0000;
const ends = allocate(8);

export interface Pipe {
  readonly reader: number;
  readonly writer: number;
}

/** Close-on-exec at both ends. */
export function makePipe(): Pipe {
  const made = syscall(arch.syscalls.pipe2, ends.address, O_CLOEXEC);
  if (made < 0) throw new Error(`pipe2 failed with errno ${-made}`);
  return { reader: ends.view.getInt32(0, true), writer: ends.view.getInt32(4, true) };
}
