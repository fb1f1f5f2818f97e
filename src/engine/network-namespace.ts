// The network namespace of a target. A thread makes its sockets in the namespace it is in, and they stay there: so this thread goes
// there for one socket(2) and comes back (setns(2)).
import { closeSync, fstatSync, openSync } from 'node:fs';
import { arch } from '../arch/arch.ts';
import { describeErrno } from '../native/errno.ts';
import { syscall } from '../native/syscall.ts';

const CLONE_NEWNET = 0x4000_0000;

export class NetworkNamespace implements Disposable {
  readonly #own: number;
  readonly #target: number;
  readonly #isOwn: boolean;

  /** It is held by a descriptor: the thread may end. Throws the error of open(2): ENOENT, EACCES. */
  constructor(tid: number) {
    this.#target = openSync(`/proc/${tid}/ns/net`, 'r');
    this.#own = openSync('/proc/thread-self/ns/net', 'r');
    this.#isOwn = fstatSync(this.#own).ino === fstatSync(this.#target).ino;
  }

  /** Runs `make` there. The answer of `make`, or -errno of setns: EPERM without CAP_SYS_ADMIN over that namespace. */
  within(make: () => number): number {
    if (this.#isOwn) return make();
    const went = syscall(arch.syscalls.setns, this.#target, CLONE_NEWNET);
    if (went < 0) return went;
    try {
      return make();
    } finally {
      this.#comeBack();
    }
  }

  #comeBack(): void {
    const back = syscall(arch.syscalls.setns, this.#own, CLONE_NEWNET);
    if (back < 0) throw new Error(`setns back to the engine's own network namespace: ${describeErrno(back)}`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#target);
    closeSync(this.#own);
  }
}
