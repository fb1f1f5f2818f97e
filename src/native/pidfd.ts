// A process by its pidfd (pidfd_open(2)): as long as it is open, a signal reaches that process and no other that has got its number since.
import { closeSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { syscall } from './syscall.ts';

export class ProcessHandle implements Disposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** -errno when there is no such process. */
  static open(pid: number): ProcessHandle | number {
    const fd = syscall(arch.syscalls.pidfd_open, pid, 0);
    return fd < 0 ? fd : new ProcessHandle(fd);
  }

  /** To the whole process, as kill(2). Answers 0 or -errno. */
  signal(signal: number): number {
    return syscall(arch.syscalls.pidfd_send_signal, this.#fd, signal, 0, 0);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
